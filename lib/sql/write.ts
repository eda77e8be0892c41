import type { FieldId } from '../core/field-ids.ts';
import type { PartitionField } from '../core/spec.ts';
import type { Sql } from '../core/sql-text.ts';
import type { CopyStatement } from '../core/statement.ts';
import type { Column } from '../core/types.ts';
import { join, NOTHING, sql } from './fragment.ts';
import { holdsFloats, NO_DICTIONARY, refuseNegativeZero } from './negative-zero.ts';
import { quoteName, quoteText } from './quote.ts';
import { renderTransform } from './transform.ts';
import { duckType } from './types.ts';

export type WriteRequest = {
  /** Names the statement in errors and timings. */
  readonly name: string;
  /** A relation: a table or view name, or a parenthesised SELECT. */
  readonly from: Sql;
  readonly columns: readonly Column[];
  readonly fieldIds: readonly FieldId[];
  readonly partitionBy: readonly PartitionField[];
  /** Columns of `from` that hold its rows' partition values; without them they are computed. */
  readonly partitionColumns?: readonly string[];
  readonly sortBy: readonly string[];
  /** Terms to order by in place of `sortBy`, over the columns. */
  readonly orderBy?: readonly Sql[];
  /** What the rows of one file have in common, over the columns of `from`: rows without partitions are cut by it, not by size. */
  readonly fileOf?: Sql;
  /** An empty or missing folder; files get unique names. */
  readonly folder: string;
  /** Target size in bytes of an unpartitioned file; a partitioned COPY writes one file per partition. */
  readonly fileBytes: number;
  /** Of rows of a run: that they are many, so that row groups are full. */
  readonly full?: boolean;
  /** Of what is rewritten to stay; left out: rows of a run, which are packed fast. */
  readonly packed?: Packing;
};

/** How tightly files that stay are packed. */
export type Packing = 'small' | 'middle';

/** zstd by its level 1, in which a run takes up to two fifths less time to write, for up to an eighth more bytes. */
export const PACKED_FAST = sql`COMPRESSION zstd, COMPRESSION_LEVEL 1`;
/**
 * In full row groups a dictionary only for columns that have few values: to begin one and give it up, which DuckDB does at a fifth of the rows, is
 * up to a third of what writing takes. In small ones it would be one where DuckDB begins none.
 */
export const FEW_VALUES = sql`DICTIONARY_SIZE_LIMIT 5000`;
/** By DuckDB's own level, 3; and by 2, which takes up to a third less time to write, for less bytes or up to a quarter more. */
const PACKED: Readonly<Record<Packing, Sql>> = {
  small: sql`COMPRESSION zstd`,
  middle: sql`COMPRESSION zstd, COMPRESSION_LEVEL 2`,
};

/**
 * COPY of a relation to Parquet data files of a table: columns cast to the table's types and in its order, field ids,
 * zstd, files of one partition each, statistics returned. Sorting clusters rows: it is a total order of them,
 * in their files and among them, only where one thread writes one partition.
 */
export function writeTable(request: WriteRequest): CopyStatement {
  const usual = { name: request.name, text: renderWrite(request, true) };
  return holdsFloats(request.columns) ? { ...usual, exact: renderWrite(request, false) } : usual;
}

function renderWrite(request: WriteRequest, dictionaries: boolean): Sql {
  const columns = request.columns.map(({ name, type }) => {
    const value = sql`CAST(${quoteName(name)} AS ${duckType(type)})`;
    return sql`${dictionaries ? refuseNegativeZero(value, type) : value} AS ${quoteName(name)}`;
  });
  const terms = request.fileOf === undefined ? (request.partitionColumns ?? []).map(quoteName) : [request.fileOf];
  const given = terms.map((term, i) => sql`${term} AS ${partitionName(i)}`);
  const source = sql`SELECT ${join([...columns, ...given])} FROM ${request.from}`;
  const computed = given.length > 0 ? [] : request.partitionBy.map((field, i) => renderPartition(request, field, i));
  const select = computed.length === 0 ? source : sql`SELECT *, ${join(computed)} FROM (${source})`;
  const by =
    request.orderBy ??
    (dictionaries ? request.sortBy.map(quoteName) : request.sortBy.map((name) => sortKey(request, name)));
  const order = by.length === 0 ? NOTHING : sql`\nORDER BY ${join(by)}`;
  const limit = request.packed === undefined && request.full === true ? [FEW_VALUES] : [];
  const options = [...copyOptions(request), ...(dictionaries ? limit : [NO_DICTIONARY])];
  return sql`COPY (${select}${order}) TO ${quoteText(request.folder)} (${join(options)})`;
}

/** DuckDB gives a column that it sorts by back from the sort's key, in which -0.0 is 0.0: such a key is made apart. */
function sortKey({ columns }: WriteRequest, name: string): Sql {
  const column = quoteName(name);
  const apart = holdsFloats(columns.filter((one) => one.name === name));
  return apart ? sql`CASE WHEN ${column} = 0 THEN 0 ELSE ${column} END` : column;
}

function renderPartition({ columns }: WriteRequest, field: PartitionField, index: number): Sql {
  const type = columns.find((c) => c.name === field.column)?.type;
  if (type === undefined) throw new RangeError(`partition column ${field.column} is not a column of the table`);
  return sql`${renderTransform(field, type)} AS ${partitionName(index)}`;
}

function copyOptions(request: WriteRequest): readonly Sql[] {
  const partitions = request.fileOf === undefined ? request.partitionBy.length : 1;
  const layout =
    partitions === 0
      ? [sql`FILE_SIZE_BYTES ${request.fileBytes}`]
      : [
          sql`PARTITION_BY (${join(Array.from({ length: partitions }, (_, i) => partitionName(i)))})`,
          // No folder is named after a value, which may be longer than a file name can be.
          sql`HIVE_FILE_PATTERN false`,
        ];
  return [
    sql`FORMAT parquet`,
    request.packed === undefined ? PACKED_FAST : PACKED[request.packed],
    ...layout,
    sql`FILENAME_PATTERN '{uuid}'`,
    ...dictionaryOptions(request.columns),
    sql`OVERWRITE_OR_IGNORE`,
    sql`FIELD_IDS ${renderFieldIds(idsOfColumns(request))}`,
    sql`RETURN_STATS`,
  ];
}

/** A table may have columns that the rows lack: in their files it has nulls there. */
function idsOfColumns({ fieldIds, columns }: WriteRequest): readonly FieldId[] {
  const names = new Set(columns.map((column) => column.name));
  return fieldIds.filter((field) => names.has(field.name));
}

/** DuckDB keeps a page of 1 MiB for the dictionary of each column, also of one without values: too much for thousands. */
export function dictionaryOptions(columns: readonly Column[]): readonly Sql[] {
  if (columns.length <= MANY_COLUMNS) return [];
  return [sql`STRING_DICTIONARY_PAGE_SIZE_LIMIT ${Math.floor(ALL_DICTIONARIES / columns.length)}`];
}

const MANY_COLUMNS = 200;
const ALL_DICTIONARIES = 200 * 1024 * 1024;

function partitionName(index: number): Sql {
  return quoteName(`__p${index}`);
}

function renderFieldIds(fields: readonly FieldId[]): Sql {
  return sql`{${join(fieldEntries(fields))}}`;
}

function fieldEntries(fields: readonly FieldId[]): readonly Sql[] {
  return fields.map((f) => {
    const nested = sql`{'__duckdb_field_id': ${f.id}, ${join(fieldEntries(f.children))}}`;
    return sql`${quoteName(f.name)}: ${f.children.length === 0 ? f.id : nested}`;
  });
}

/** A relation with columns that it lacks, null in every row. */
export function withNulls(relation: Sql, columns: readonly Column[]): Sql {
  if (columns.length === 0) return relation;
  const nulls = columns.map(({ name, type }) => sql`CAST(NULL AS ${duckType(type)}) AS ${quoteName(name)}`);
  return sql`(SELECT *, ${join(nulls)} FROM ${relation})`;
}
