import type { FieldId } from '../core/field-ids.ts';
import type { PartitionField } from '../core/spec.ts';
import type { Statement } from '../core/statement.ts';
import type { Column } from '../core/types.ts';
import { quoteName, quoteText } from './quote.ts';
import { renderTransform } from './transform.ts';
import { duckType } from './types.ts';

export type WriteRequest = {
  /** Names the statement in errors and timings. */
  readonly name: string;
  /** A relation: a table or view name, or a parenthesised SELECT. */
  readonly from: string;
  readonly columns: readonly Column[];
  readonly fieldIds: readonly FieldId[];
  readonly partitionBy: readonly PartitionField[];
  /** Columns of `from` that hold its rows' partition values; without them they are computed. */
  readonly partitionColumns?: readonly string[];
  readonly sortBy: readonly string[];
  /** An empty or missing folder; files get unique names. */
  readonly folder: string;
  /** Target size in bytes of an unpartitioned file; a partitioned COPY writes one file per partition. */
  readonly fileBytes: number;
};

/**
 * COPY of a relation to Parquet data files of a table: columns cast to the table's types and in its order, field ids,
 * zstd, files of one partition each, statistics returned. Sorting clusters rows; across threads it is not a total order.
 */
export function writeTable(request: WriteRequest): Statement {
  const columns = request.columns.map(
    (c) => `CAST(${quoteName(c.name)} AS ${duckType(c.type)}) AS ${quoteName(c.name)}`,
  );
  const given = (request.partitionColumns ?? []).map((name, i) => `${quoteName(name)} AS ${partitionName(i)}`);
  const source = `SELECT ${[...columns, ...given].join(', ')} FROM ${request.from}`;
  const computed = given.length > 0 ? [] : request.partitionBy.map((field, i) => renderPartition(request, field, i));
  const select = computed.length === 0 ? source : `SELECT *, ${computed.join(', ')} FROM (${source})`;
  const order = request.sortBy.length === 0 ? '' : `\nORDER BY ${request.sortBy.map(quoteName).join(', ')}`;
  return {
    name: request.name,
    text: `COPY (${select}${order}) TO ${quoteText(request.folder)} (${copyOptions(request)})`,
  };
}

function renderPartition({ columns }: WriteRequest, field: PartitionField, index: number): string {
  const type = columns.find((c) => c.name === field.column)?.type;
  if (type === undefined) throw new RangeError(`partition column ${field.column} is not a column of the table`);
  return `${renderTransform(field, type)} AS ${partitionName(index)}`;
}

function copyOptions(request: WriteRequest): string {
  const layout =
    request.partitionBy.length === 0
      ? [`FILE_SIZE_BYTES ${request.fileBytes}`]
      : [
          `PARTITION_BY (${request.partitionBy.map((_, i) => partitionName(i)).join(', ')})`,
          // No folder is named after a value, which may be longer than a file name can be.
          'HIVE_FILE_PATTERN false',
        ];
  return [
    'FORMAT parquet',
    'COMPRESSION zstd',
    ...layout,
    "FILENAME_PATTERN '{uuid}'",
    'OVERWRITE_OR_IGNORE',
    `FIELD_IDS ${renderFieldIds(request.fieldIds)}`,
    'RETURN_STATS',
  ].join(', ');
}

function partitionName(index: number): string {
  return quoteName(`__p${index}`);
}

function renderFieldIds(fields: readonly FieldId[]): string {
  const entries = fields.map((f) => {
    const nested = f.children.length === 0 ? String(f.id) : renderNested(f);
    return `${quoteName(f.name)}: ${nested}`;
  });
  return `{${entries.join(', ')}}`;
}

function renderNested(field: FieldId): string {
  const own = `'__duckdb_field_id': ${field.id}`;
  return `{${[own, renderFieldIds(field.children).slice(1, -1)].join(', ')}}`;
}
