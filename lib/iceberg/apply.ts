import { CommitConflict } from '../core/errors.ts';
import { type Change, LAST_ADDED, type Requirement, type Update } from './changes.ts';
import { assertInvariants } from './invariants.ts';
import { PREVIOUS_VERSIONS_MAX } from './metadata-files.ts';
import { FIRST_PARTITION_ID } from './partition.ts';
import { MAIN } from './snapshot.ts';
import type { Snapshot, StatisticsFile, TableMetadata } from './types.ts';

const DEFAULT_PREVIOUS_VERSIONS = 100;

/** The first requirement of the change that the table does not meet, in words; undefined when it meets all. */
export function checkRequirements(change: Change, metadata: TableMetadata | undefined): string | undefined {
  for (const requirement of change.requirements) {
    const failure = checkRequirement(requirement, metadata);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

function checkRequirement(requirement: Requirement, metadata: TableMetadata | undefined): string | undefined {
  if (requirement.type === 'assert-create') {
    return metadata === undefined ? undefined : `the table exists already, with uuid ${metadata['table-uuid']}`;
  }
  if (metadata === undefined) return 'the table does not exist';
  const expect = (what: string, got: unknown, expected: unknown): string | undefined =>
    got === expected ? undefined : `${what}: got ${got}; expected ${expected}`;
  switch (requirement.type) {
    case 'assert-table-uuid':
      return expect('table uuid', metadata['table-uuid'], requirement.uuid);
    case 'assert-ref-snapshot-id':
      return expect(`snapshot of ${requirement.ref}`, refOf(metadata, requirement.ref), requirement['snapshot-id']);
    case 'assert-last-assigned-field-id':
      return expect('last column id', metadata['last-column-id'], requirement['last-assigned-field-id']);
    case 'assert-current-schema-id':
      return expect('current schema id', metadata['current-schema-id'], requirement['current-schema-id']);
    case 'assert-last-assigned-partition-id':
      return expect('last partition id', metadata['last-partition-id'], requirement['last-assigned-partition-id']);
    case 'assert-default-spec-id':
      return expect('default spec id', metadata['default-spec-id'], requirement['default-spec-id']);
    case 'assert-default-sort-order-id':
      return expect('default sort order', metadata['default-sort-order-id'], requirement['default-sort-order-id']);
  }
}

function refOf(metadata: TableMetadata, name: string): bigint | null {
  if (name === MAIN) return metadata['current-snapshot-id'] ?? null;
  return metadata.refs?.[name]?.['snapshot-id'] ?? null;
}

/**
 * The table after a change. `nowMs` is the time of the change in milliseconds; the table's clock never runs backwards.
 * `metadataLocation` is where the current metadata lies, for the metadata log.
 * Throws CommitConflict when a requirement does not hold, UnreadableTable when the result would break an invariant.
 */
export function applyChange(
  change: Change,
  metadata: TableMetadata | undefined,
  nowMs: number,
  metadataLocation: string | null = null,
): TableMetadata {
  const failure = checkRequirements(change, metadata);
  if (failure !== undefined) throw new CommitConflict(`the table changed since the change was planned: ${failure}`);
  const now = laterOf(BigInt(Math.floor(nowMs)), metadata?.['last-updated-ms'] ?? 0n);
  const start: TableMetadata = { ...(metadata ?? emptyTable()), 'last-updated-ms': now };
  const updated = change.updates.reduce(applyUpdate, start);
  const next = { ...updated, 'metadata-log': extendLog(metadata, metadataLocation, updated.properties) };
  assertInvariants(next, metadata);
  return next;
}

function emptyTable(): TableMetadata {
  return {
    'format-version': 2,
    'table-uuid': '',
    location: '',
    'last-sequence-number': 0n,
    'last-updated-ms': 0n,
    'last-column-id': 0,
    schemas: [],
    'current-schema-id': LAST_ADDED,
    'partition-specs': [],
    'default-spec-id': LAST_ADDED,
    'last-partition-id': FIRST_PARTITION_ID - 1,
    properties: {},
    snapshots: [],
    'snapshot-log': [],
    'metadata-log': [],
    'sort-orders': [],
    'default-sort-order-id': LAST_ADDED,
  };
}

function applyUpdate(table: TableMetadata, update: Update): TableMetadata {
  switch (update.action) {
    case 'assign-uuid':
      return { ...table, 'table-uuid': update.uuid };
    case 'set-location':
      return { ...table, location: update.location };
    case 'add-schema':
      return {
        ...table,
        schemas: [...table.schemas, update.schema],
        'last-column-id': Math.max(table['last-column-id'], update['last-column-id']),
      };
    case 'set-current-schema':
      return { ...table, 'current-schema-id': chosen(update['schema-id'], table.schemas.at(-1)?.['schema-id']) };
    case 'add-spec':
      return {
        ...table,
        'partition-specs': [...table['partition-specs'], update.spec],
        'last-partition-id': Math.max(table['last-partition-id'], ...update.spec.fields.map((one) => one['field-id'])),
      };
    case 'set-default-spec':
      return { ...table, 'default-spec-id': chosen(update['spec-id'], table['partition-specs'].at(-1)?.['spec-id']) };
    case 'add-sort-order':
      return { ...table, 'sort-orders': [...table['sort-orders'], update['sort-order']] };
    case 'set-default-sort-order':
      return {
        ...table,
        'default-sort-order-id': chosen(update['sort-order-id'], table['sort-orders'].at(-1)?.['order-id']),
      };
    case 'add-snapshot':
      return withSnapshot(table, update.snapshot);
    case 'set-snapshot-ref':
      return withRef(table, update);
    case 'remove-snapshot-ref':
      return withoutRef(table, update['ref-name']);
    case 'remove-snapshots':
      return withoutSnapshots(table, new Set(update['snapshot-ids']));
    case 'set-properties':
      return { ...table, properties: { ...table.properties, ...update.updates } };
    case 'remove-properties':
      return { ...table, properties: without(table.properties, update.removals) };
  }
}

function chosen(id: number, lastAdded: number | undefined): number {
  return id === LAST_ADDED ? (lastAdded ?? LAST_ADDED) : id;
}

function withSnapshot(table: TableMetadata, snapshot: Snapshot): TableMetadata {
  return {
    ...table,
    snapshots: [...table.snapshots, snapshot],
    'last-sequence-number': laterOf(table['last-sequence-number'], snapshot['sequence-number']),
    'last-updated-ms': laterOf(table['last-updated-ms'], snapshot['timestamp-ms']),
  };
}

function withRef(table: TableMetadata, update: Extract<Update, { action: 'set-snapshot-ref' }>): TableMetadata {
  const id = update['snapshot-id'];
  const name = update['ref-name'];
  // What else a ref says, such as how long to keep it, stays.
  const refs = { ...table.refs, [name]: { ...table.refs?.[name], 'snapshot-id': id, type: update.type } };
  if (name !== MAIN) return { ...table, refs };
  const entry = { 'timestamp-ms': table['last-updated-ms'], 'snapshot-id': id };
  return { ...table, refs, 'current-snapshot-id': id, 'snapshot-log': [...table['snapshot-log'], entry] };
}

/**
 * A log with gaps would name a snapshot for moments at which another one was current, so it begins after the last gap.
 * Statistics are of one snapshot each, and go with it.
 */
function withoutSnapshots(table: TableMetadata, gone: ReadonlySet<bigint>): TableMetadata {
  const log = table['snapshot-log'];
  const gap = log.findLastIndex((entry) => gone.has(entry['snapshot-id']));
  const ofKept = (all: readonly StatisticsFile[]): readonly StatisticsFile[] =>
    all.filter((one) => !gone.has(one['snapshot-id']));
  const { statistics, 'partition-statistics': byPartition } = table;
  return {
    ...table,
    snapshots: table.snapshots.filter((snapshot) => !gone.has(snapshot['snapshot-id'])),
    'snapshot-log': log.slice(gap + 1),
    ...(statistics === undefined ? {} : { statistics: ofKept(statistics) }),
    ...(byPartition === undefined ? {} : { 'partition-statistics': ofKept(byPartition) }),
  };
}

function withoutRef(table: TableMetadata, name: string): TableMetadata {
  const { [name]: _removed, ...refs } = table.refs ?? {};
  return { ...table, refs };
}

function without(record: Readonly<Record<string, string>>, keys: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)));
}

function extendLog(
  metadata: TableMetadata | undefined,
  location: string | null,
  properties: TableMetadata['properties'],
): TableMetadata['metadata-log'] {
  const log = metadata?.['metadata-log'] ?? [];
  if (metadata === undefined || location === null) return log;
  const kept = Number(properties[PREVIOUS_VERSIONS_MAX] ?? DEFAULT_PREVIOUS_VERSIONS);
  const entry = { 'timestamp-ms': metadata['last-updated-ms'], 'metadata-file': location };
  return [...log, entry].slice(-(Number.isSafeInteger(kept) && kept > 0 ? kept : DEFAULT_PREVIOUS_VERSIONS));
}

const laterOf = (a: bigint, b: bigint): bigint => (a < b ? b : a);
