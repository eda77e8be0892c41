import { type PublishedText, publishedText } from '../core/implementations.ts';
import type { PipelineSpec } from '../core/spec.ts';
import { fullName } from '../core/tables.ts';
import { currentSpec } from '../iceberg/partition.ts';
import { currentSchema } from '../iceberg/schema.ts';
import { currentSnapshot } from '../iceberg/snapshot.ts';
import type { IcebergType, NestedField, Schema, TableMetadata } from '../iceberg/types.ts';
import { type SizeDeps, sizeOf, type TableSize } from '../lake/tables/table-size.ts';
import type { FoundTable } from './find-table.ts';
import { type Lineage, lineageOf } from './lineage.ts';
import { maskedColumns } from './masked-columns.ts';

/** A column with its Iceberg field id; nested fields as columns of their own, by path. */
export type DescribedColumn = {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  /** Left out where it is not. */
  readonly personal?: true;
  /** As the table says it; left out where it says nothing. */
  readonly description?: string;
};

export type DescribedPartition = {
  readonly id: number;
  readonly name: string;
  readonly column: string;
  readonly transform: string;
};

export type TableDescription = TableSize & {
  readonly name: string;
  readonly description: string | null;
  readonly location: string;
  readonly metadata_location: string;
  readonly snapshots: number;
  readonly current_snapshot_id: string | null;
  /** ISO instant of the last change. */
  readonly updated: string;
  /** Which of several texts of its model makes it; left out where there is one. */
  readonly text?: PublishedText;
  readonly columns: readonly DescribedColumn[];
  readonly partitioning: readonly DescribedPartition[];
  readonly sort: readonly { readonly column: string; readonly direction: string }[];
  readonly properties: Readonly<Record<string, string>>;
  /** Null for tables that no pipeline in the folder declares. */
  readonly lineage: Lineage | null;
};

/** Describes a table; `spec` is its compiled pipeline, where there is one, and `others` are those that may read it or be read. */
export async function describeTable(
  deps: SizeDeps,
  table: FoundTable,
  spec: PipelineSpec | undefined,
  others: readonly PipelineSpec[] = [],
): Promise<TableDescription> {
  const { id, metadata } = table;
  const model = spec?.models.find((one) => one.layer === id.layer && one.name === id.name);
  const text = model?.layer === 'gold' ? publishedText(model) : undefined;
  const current = currentSnapshot(metadata);
  const schema = currentSchema(metadata);
  return {
    name: fullName(id),
    description: model?.description ?? null,
    location: metadata.location,
    metadata_location: table.metadataLocation,
    ...(await sizeOf(deps, metadata)),
    snapshots: metadata.snapshots.length,
    current_snapshot_id: current === undefined ? null : String(current['snapshot-id']),
    updated: new Date(Number(metadata['last-updated-ms'])).toISOString(),
    ...(text === undefined ? {} : { text }),
    columns: markPersonal(describeColumns(schema), metadata),
    partitioning: describePartitioning(metadata, schema),
    sort: describeSort(metadata, schema),
    properties: metadata.properties,
    lineage: (spec !== undefined && model !== undefined ? lineageOf(spec, model.id, others) : undefined) ?? null,
  };
}

function describeColumns(schema: Schema): readonly DescribedColumn[] {
  return describeFields(schema.fields, '');
}

function markPersonal(columns: readonly DescribedColumn[], metadata: TableMetadata): readonly DescribedColumn[] {
  const personal = new Set(maskedColumns(metadata).map(({ name }) => name));
  return columns.map((column) => (personal.has(column.name) ? { ...column, personal: true } : column));
}

function describeFields(fields: readonly NestedField[], within: string): readonly DescribedColumn[] {
  return fields.flatMap(({ id, name, type, doc }) => {
    const [column, ...nested] = describeField(id, `${within}${name}`, type);
    const described = column === undefined || doc === undefined ? column : { ...column, description: doc };
    return described === undefined ? nested : [described, ...nested];
  });
}

function describeField(id: number, name: string, type: IcebergType): readonly DescribedColumn[] {
  if (typeof type === 'string') return [{ id, name, type }];
  if (type.type === 'list') {
    return [{ id, name, type: 'list' }, ...describeField(type['element-id'], `${name}.element`, type.element)];
  }
  return [{ id, name, type: 'struct' }, ...describeFields(type.fields, `${name}.`)];
}

function describePartitioning(metadata: TableMetadata, schema: Schema): readonly DescribedPartition[] {
  return currentSpec(metadata).fields.map((field) => ({
    id: field['field-id'],
    name: field.name,
    column: columnName(schema, field['source-id']),
    transform: field.transform,
  }));
}

function describeSort(metadata: TableMetadata, schema: Schema): TableDescription['sort'] {
  const order = metadata['sort-orders'].find((one) => one['order-id'] === metadata['default-sort-order-id']);
  return (order?.fields ?? []).map((field) => ({
    column: columnName(schema, field['source-id']),
    direction: field.direction,
  }));
}

function columnName(schema: Schema, id: number): string {
  return describeColumns(schema).find((column) => column.id === id)?.name ?? `field ${id}`;
}
