import { InvalidInput } from '../core/errors.ts';
import type { Renamed } from '../core/renames.ts';
import type { PartitionField } from '../core/spec.ts';
import type { Column } from '../core/types.ts';
import { type Evolution, evolveSchema, type IncompatibleColumn, replaceSchema } from './evolve.ts';
import { currentSpec, partitionSpecOf } from './partition.ts';
import { renameFields } from './rename.ts';
import { currentSchema, fieldByName, schemaOf } from './schema.ts';
import { MAIN } from './snapshot.ts';
import type { PartitionSpec, PartitionSpecField, Schema, Snapshot, SortOrder, TableMetadata } from './types.ts';

/**
 * A change of a table as a value: what must still be true, and what to do then. Names and keys are those of
 * https://github.com/apache/iceberg/blob/main/open-api/rest-catalog-open-api.yaml (TableRequirement, TableUpdate).
 */
export type Change = { readonly requirements: readonly Requirement[]; readonly updates: readonly Update[] };

export type Requirement =
  | { readonly type: 'assert-create' }
  | { readonly type: 'assert-table-uuid'; readonly uuid: string }
  | { readonly type: 'assert-ref-snapshot-id'; readonly ref: string; readonly 'snapshot-id': bigint | null }
  | { readonly type: 'assert-last-assigned-field-id'; readonly 'last-assigned-field-id': number }
  | { readonly type: 'assert-current-schema-id'; readonly 'current-schema-id': number }
  | { readonly type: 'assert-last-assigned-partition-id'; readonly 'last-assigned-partition-id': number }
  | { readonly type: 'assert-default-spec-id'; readonly 'default-spec-id': number }
  | { readonly type: 'assert-default-sort-order-id'; readonly 'default-sort-order-id': number };

/** Where an update sets a schema, spec or sort order, -1 means the one that this change added last. */
export type Update =
  | { readonly action: 'assign-uuid'; readonly uuid: string }
  | { readonly action: 'set-location'; readonly location: string }
  | { readonly action: 'add-schema'; readonly schema: Schema; readonly 'last-column-id': number }
  | { readonly action: 'set-current-schema'; readonly 'schema-id': number }
  | { readonly action: 'add-spec'; readonly spec: PartitionSpec }
  | { readonly action: 'set-default-spec'; readonly 'spec-id': number }
  | { readonly action: 'add-sort-order'; readonly 'sort-order': SortOrder }
  | { readonly action: 'set-default-sort-order'; readonly 'sort-order-id': number }
  | { readonly action: 'add-snapshot'; readonly snapshot: Snapshot }
  | {
      readonly action: 'set-snapshot-ref';
      readonly 'ref-name': string;
      readonly type: 'branch' | 'tag';
      readonly 'snapshot-id': bigint;
    }
  | { readonly action: 'remove-snapshot-ref'; readonly 'ref-name': string }
  | { readonly action: 'remove-snapshots'; readonly 'snapshot-ids': readonly bigint[] }
  | { readonly action: 'set-properties'; readonly updates: Readonly<Record<string, string>> }
  | { readonly action: 'remove-properties'; readonly removals: readonly string[] };

export const LAST_ADDED = -1;

export type NewTable = {
  readonly uuid: string;
  /** Absolute location of the table's folder, without a trailing slash. */
  readonly location: string;
  readonly columns: readonly Column[];
  readonly partitionBy: readonly PartitionField[];
  /** Columns to order rows by within a file, ascending. */
  readonly sortBy: readonly string[];
  readonly properties: Readonly<Record<string, string>>;
};

/** The change that makes a table. Throws InvalidInput when partitionBy or sortBy name columns that are not there. */
export function createTable(table: NewTable): Change {
  const { schema, lastColumnId } = schemaOf(table.columns);
  const { spec } = partitionSpecOf(table.partitionBy, schema);
  return {
    requirements: [{ type: 'assert-create' }],
    updates: [
      { action: 'assign-uuid', uuid: table.uuid },
      { action: 'set-location', location: table.location },
      { action: 'add-schema', schema, 'last-column-id': lastColumnId },
      { action: 'set-current-schema', 'schema-id': LAST_ADDED },
      { action: 'add-spec', spec },
      { action: 'set-default-spec', 'spec-id': LAST_ADDED },
      { action: 'add-sort-order', 'sort-order': sortOrderOf(table.sortBy, schema) },
      { action: 'set-default-sort-order', 'sort-order-id': LAST_ADDED },
      { action: 'set-properties', updates: table.properties },
    ],
  };
}

/** Ascending, nulls last, as DuckDB's ORDER BY does by default. Order 0 is the one that sorts nothing. */
function sortOrderOf(columns: readonly string[], schema: Schema): SortOrder {
  const fields = columns.map((column) => {
    const field = fieldByName(schema, column);
    if (field === undefined) throw new InvalidInput(`sortBy: got ${column}; expected a column of the table`);
    return {
      transform: 'identity',
      'source-id': field.id,
      direction: 'asc' as const,
      'null-order': 'nulls-last' as const,
    };
  });
  return { 'order-id': fields.length === 0 ? 0 : 1, fields };
}

export type Alteration =
  | { readonly kind: 'same' }
  | { readonly kind: 'altered'; readonly change: Change }
  | { readonly kind: 'incompatible'; readonly columns: readonly IncompatibleColumn[] };

/** `whole`: no column but the wanted ones stays. `renamed`: former names of wanted columns, which keep their ids. */
export type Altering = { readonly whole?: boolean | undefined; readonly renamed?: Renamed | undefined };

/**
 * The change that lets the table hold `wanted` columns beside those that it has, see evolveSchema; with `whole` the one
 * that leaves it these columns alone, see replaceSchema.
 */
export function alterSchema(
  metadata: TableMetadata,
  wanted: readonly Column[],
  { whole = false, renamed }: Altering = {},
): Alteration {
  const last = metadata['last-column-id'];
  const current = renameFields(currentSchema(metadata), renamed);
  const evolved = whole
    ? replaceSchema(current, last, wanted, partitionSources(metadata))
    : evolveSchema(current, last, wanted);
  const same = evolved.kind === 'same' && current !== currentSchema(metadata);
  const evolution: Evolution = same ? { kind: 'evolved', schema: current, lastColumnId: last } : evolved;
  if (evolution.kind !== 'evolved') return evolution;
  const taken = takenNames(metadata, evolution.schema);
  if (taken.length > 0) return { kind: 'incompatible', columns: taken };
  const schema = { ...evolution.schema, 'schema-id': 1 + Math.max(...metadata.schemas.map((one) => one['schema-id'])) };
  const change: Change = {
    requirements: [
      { type: 'assert-table-uuid', uuid: metadata['table-uuid'] },
      { type: 'assert-current-schema-id', 'current-schema-id': metadata['current-schema-id'] },
      { type: 'assert-last-assigned-field-id', 'last-assigned-field-id': metadata['last-column-id'] },
    ],
    updates: [
      { action: 'add-schema', schema, 'last-column-id': evolution.lastColumnId },
      { action: 'set-current-schema', 'schema-id': LAST_ADDED },
    ],
  };
  return { kind: 'altered', change };
}

/** New columns with the name of a partition field of another column, which readers of Iceberg refuse. */
function takenNames(metadata: TableMetadata, schema: Schema): readonly IncompatibleColumn[] {
  const known = new Set(currentSchema(metadata).fields.map(({ id }) => id));
  const partitions = metadata['partition-specs'].flatMap((spec) => spec.fields);
  return schema.fields.flatMap(({ id, name }) => {
    const taken = partitions.some((one) => one.name === name && one['source-id'] !== id);
    return known.has(id) || !taken
      ? []
      : [{ column: name, got: 'a column of its own', expected: 'the name of a partition field of another column' }];
  });
}

function partitionSources(metadata: TableMetadata): ReadonlySet<number> {
  return new Set(metadata['partition-specs'].flatMap((spec) => spec.fields.map((field) => field['source-id'])));
}

/** The change to another sort order, where the table's names columns that its schema no longer has. */
export function alterSort(metadata: TableMetadata, sortBy: readonly string[]): Change | undefined {
  const schema = currentSchema(metadata);
  const current = metadata['sort-orders'].find((one) => one['order-id'] === metadata['default-sort-order-id']);
  const lost = current?.fields.some((field) => schema.fields.every((one) => one.id !== field['source-id'])) ?? false;
  if (!lost) return undefined;
  const wanted = sortOrderOf(sortBy, schema);
  const unsorted = metadata['sort-orders'].some((one) => one['order-id'] === 0);
  const orderId =
    wanted.fields.length === 0 ? 0 : 1 + Math.max(...metadata['sort-orders'].map((one) => one['order-id']));
  const add: readonly Update[] =
    orderId === 0 && unsorted ? [] : [{ action: 'add-sort-order', 'sort-order': { ...wanted, 'order-id': orderId } }];
  return {
    requirements: [
      { type: 'assert-table-uuid', uuid: metadata['table-uuid'] },
      { type: 'assert-default-sort-order-id', 'default-sort-order-id': metadata['default-sort-order-id'] },
    ],
    updates: [...add, { action: 'set-default-sort-order', 'sort-order-id': orderId }],
  };
}

/**
 * The change that makes `fields` the table's partitioning for new files; undefined when it is that already. A field
 * that any spec of the table had keeps its id. Throws InvalidInput as partitionSpecOf does.
 */
export function alterSpec(metadata: TableMetadata, fields: readonly PartitionField[]): Change | undefined {
  const last = metadata['last-partition-id'];
  const fresh = partitionSpecOf(fields, currentSchema(metadata), last).spec.fields;
  const known = metadata['partition-specs'].flatMap((spec) => spec.fields);
  const reused = reuseIds(fresh, known, last);
  if (sameFields(reused, currentSpec(metadata).fields)) return undefined;
  const specId = 1 + Math.max(...metadata['partition-specs'].map((one) => one['spec-id']));
  const earlier = metadata['partition-specs'].find((one) => sameFields(reused, one.fields));
  const updates: readonly Update[] =
    earlier === undefined
      ? [
          { action: 'add-spec', spec: { 'spec-id': specId, fields: reused } },
          { action: 'set-default-spec', 'spec-id': LAST_ADDED },
        ]
      : [{ action: 'set-default-spec', 'spec-id': earlier['spec-id'] }];
  return {
    requirements: [
      { type: 'assert-table-uuid', uuid: metadata['table-uuid'] },
      { type: 'assert-default-spec-id', 'default-spec-id': metadata['default-spec-id'] },
      { type: 'assert-last-assigned-partition-id', 'last-assigned-partition-id': last },
    ],
    updates,
  };
}

function reuseIds(
  fresh: readonly PartitionSpecField[],
  known: readonly PartitionSpecField[],
  last: number,
): readonly PartitionSpecField[] {
  let next = last + 1;
  return fresh.map((field) => {
    const same = known.find((one) => one['source-id'] === field['source-id'] && one.transform === field.transform);
    if (same !== undefined) return { ...field, 'field-id': same['field-id'], name: same.name };
    next += 1;
    return { ...field, 'field-id': next - 1 };
  });
}

function sameFields(a: readonly PartitionSpecField[], b: readonly PartitionSpecField[]): boolean {
  const keys = (fields: readonly PartitionSpecField[]) => fields.map((one) => `${one['field-id']} ${one.name}`).join();
  return keys(a) === keys(b);
}

export function setProperties(metadata: TableMetadata, updates: Readonly<Record<string, string>>): Change {
  const requirement = { type: 'assert-table-uuid', uuid: metadata['table-uuid'] } as const;
  return { requirements: [requirement], updates: [{ action: 'set-properties', updates }] };
}

/** Makes a snapshot current: `main` must still be where it was when the snapshot was staged. */
export function addSnapshot(metadata: TableMetadata, snapshot: Snapshot): Change {
  const id = snapshot['snapshot-id'];
  return {
    requirements: [
      { type: 'assert-table-uuid', uuid: metadata['table-uuid'] },
      { type: 'assert-ref-snapshot-id', ref: MAIN, 'snapshot-id': metadata['current-snapshot-id'] ?? null },
    ],
    updates: [
      { action: 'add-snapshot', snapshot },
      { action: 'set-snapshot-ref', 'ref-name': MAIN, type: 'branch', 'snapshot-id': id },
    ],
  };
}

/** One change after the other; requirements of the second that only its own first part would break must not stand in it. */
export function joinChanges(...changes: readonly (Change | undefined)[]): Change {
  const present = changes.filter((change) => change !== undefined);
  return {
    requirements: present.flatMap((change) => change.requirements),
    updates: present.flatMap((change) => change.updates),
  };
}
