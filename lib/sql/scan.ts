import type { Sql, SqlName } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import type { Column } from '../core/types.ts';
import { type Deleted, renderAntiJoin } from './deleted-rows.ts';
import { join, NOTHING, sql } from './fragment.ts';
import { type KeyPlace, renderPlace, renderWithin } from './key-ranges.ts';
import { type NamedFile, renderNamedFiles } from './named-files.ts';
import { ownName, quoteName, quotePath, quoteText, quoteTexts } from './quote.ts';
import { duckType } from './types.ts';

export type ScanColumn = Column & { readonly id: number };

/** A data file that stays as it is and has lost rows. */
export type PartlyDeleted = { readonly path: string; readonly deleted: Deleted };

/** A data file to scan: its path where its columns are found by field id. */
export type ScanFile = string | PartlyDeleted | NamedFile;

/**
 * A relation over data files by field id, so that files older than a column read it as NULL and renames are safe; by
 * name over the files that have no ids. Rows that position deletes take out are left out. `rows`: how many there are, by which a join
 * knows its smaller side; DuckDB takes a file for small whose columns are found by field id.
 */
export function renderScan(columns: readonly ScanColumn[], files: readonly ScanFile[], rows?: number): Sql {
  const others = files.filter((file) => typeof file !== 'string');
  const paths = files.filter((file) => typeof file === 'string');
  if (others.length > 0) {
    const named = others.flatMap((file) => ('values' in file ? [file] : []));
    const deleted = others.flatMap((file) => ('values' in file ? [] : [file]));
    const parts = [...renderPartlyDeleted(columns, deleted), ...renderNamedFiles(columns, named)];
    const byId = paths.length === 0 ? [] : [sql`SELECT * FROM ${renderScan(columns, paths, rows)}`];
    return sql`(${join([...byId, ...parts], '\nUNION ALL\n')})`;
  }
  if (paths.length === 0) {
    const empty = columns.map((c) => sql`CAST(NULL AS ${duckType(c.type)}) AS ${quoteName(c.name)}`);
    return sql`(SELECT ${join(empty)} WHERE false)`;
  }
  return readById(columns, paths, rows);
}

function readById(columns: readonly ScanColumn[], paths: readonly string[], rows?: number): Sql {
  const schema = columns.map(
    (c) => sql`${c.id}: {'name': ${quoteText(c.name)}, 'type': ${quoteText(duckType(c.type))}, 'default_value': NULL}`,
  );
  const known = rows === undefined || rows < 1 ? NOTHING : sql`, explicit_cardinality = ${rows}`;
  return sql`read_parquet(${quoteTexts(paths)}, hive_partitioning = false, schema = MAP {${join(schema)}}${known})`;
}

function renderPartlyDeleted(columns: readonly ScanColumn[], files: readonly PartlyDeleted[]): readonly Sql[] {
  if (files.length === 0) return [];
  const { scan, select } = readUnderOurNames(
    columns,
    files.map(({ path }) => path),
  );
  const left = renderAntiJoin(files.map(({ deleted }) => deleted));
  return [sql`SELECT ${join(select)} FROM ${scan} __s ${left}`];
}

/**
 * A scan under names of ours, so that no column of a table hides where its row lies (`file_index`, `file_row_number`), and
 * what to select from it as the columns.
 */
export function readUnderOurNames(
  columns: readonly ScanColumn[],
  paths: readonly string[],
  rows?: number,
): { readonly scan: Sql; readonly select: readonly Sql[] } {
  const numbered = columns.map((column, at) => ({ ...column, name: `c${at}` }));
  const select = columns.map((column, at) => sql`${quoteName(`c${at}`)} AS ${quoteName(column.name)}`);
  return { scan: readById(numbered, paths, rows), select };
}

/** The column of technical relations that holds each row's bucket: of its key, or of an exchange; or the range of its key. */
export const BUCKET = ownName('__bucket');

/** Rows of data files with their bucket, which is known by file: hashing every key again would cost more than the rest. */
export function renderBucketed(
  columns: readonly ScanColumn[],
  files: readonly { readonly file: ScanFile; readonly bucket: number }[],
  known?: number,
): Sql {
  const byId = files.flatMap(({ file, bucket }) => (typeof file === 'string' ? [{ file, bucket }] : []));
  const first =
    byId.length === 0
      ? sql`SELECT *, CAST(NULL AS INTEGER) AS ${BUCKET} FROM ${renderScan(columns, [])}`
      : renderNumbered(columns, byId, known);
  const others = Map.groupBy(
    files.filter(({ file }) => typeof file !== 'string'),
    (one) => one.bucket,
  );
  const rest = [...others].map(([number, group]) => {
    const rows = renderScan(
      columns,
      group.map(({ file }) => file),
    );
    return sql`SELECT *, CAST(${number} AS INTEGER) AS ${BUCKET} FROM ${rows}`;
  });
  return sql`(${join([first, ...rest], '\nUNION ALL\n')})`;
}

function renderNumbered(
  columns: readonly ScanColumn[],
  files: readonly { readonly file: string; readonly bucket: number }[],
  rows?: number,
): Sql {
  const { scan, select } = readUnderOurNames(
    columns,
    files.map(({ file }) => file),
    rows,
  );
  const bucket = sql`[${join(files.map((one) => one.bucket))}][CAST(__s.file_index AS BIGINT) + 1]`;
  return sql`SELECT ${join(select)}, CAST(${bucket} AS INTEGER) AS ${BUCKET} FROM ${scan} __s`;
}

export function createSchemas(names: readonly string[]): readonly Statement[] {
  return names.map((name) => ({ name: 'schema', text: sql`CREATE SCHEMA IF NOT EXISTS ${quoteName(name)}` }));
}

/** The name of a view in a session, with its database where that is another than the session's own. */
export type ViewName = { readonly database?: string; readonly schema: string; readonly table: string };

/** A view over a table's data files. */
export function createTableView(
  { database, schema, table }: ViewName,
  columns: readonly ScanColumn[],
  files: readonly ScanFile[],
): Statement {
  const path = [...(database === undefined ? [] : [database]), schema, table];
  return {
    name: `scan ${path.join('.')}`,
    text: sql`CREATE OR REPLACE VIEW ${quotePath(...path)} AS SELECT * FROM ${renderScan(columns, files)}`,
  };
}

/** Files that Strata staged itself, by column name. */
export function renderParquet(paths: readonly string[]): Sql {
  return sql`read_parquet(${quoteTexts(paths)}, hive_partitioning = false)`;
}

/** Such files of one table of which some say more than others. */
export function renderParquetByName(paths: readonly string[]): Sql {
  return sql`read_parquet(${quoteTexts(paths)}, hive_partitioning = false, union_by_name = true)`;
}

/**
 * Events as this release stages them and as an earlier one did, which wrote the bucket beside each event and had no field
 * ids in its files: the columns of the log, and the bucket of each event's key.
 */
export function renderMixedEvents(columns: readonly Column[], place: KeyPlace, paths: readonly string[]): Sql {
  const names = join(columns.map(({ name }) => quoteName(name)));
  const typed = renderScan(
    columns.map((column) => ({ ...column, id: -1 })),
    [],
  );
  return sql`(SELECT ${names}, ${renderPlace(place, columns)} AS ${BUCKET} FROM (SELECT * FROM ${renderParquetByName(paths)} UNION ALL BY NAME SELECT * FROM ${typed}))`;
}

export function createRelation(name: SqlName, relation: Sql): Statement {
  return { name, text: sql`CREATE VIEW ${name} AS SELECT * FROM ${relation}` };
}

/** The rows of some buckets or ranges, wherever they lie now, each with its number. */
export function renderBucketRows(
  relation: Sql,
  place: KeyPlace,
  columns: readonly Column[],
  buckets: readonly number[],
): Sql {
  const number = renderPlace(place, columns);
  const isRanges = 'bounds' in place;
  const rows = isRanges ? renderWithin(relation, place, columns, buckets) : relation;
  // What lies between two ranges beside each other is in no other, and is not asked twice.
  const beside = isRanges && Math.max(...buckets) - Math.min(...buckets) + 1 === buckets.length;
  const those = beside ? NOTHING : sql` WHERE ${BUCKET} IN (${join(buckets)})`;
  return sql`(SELECT *, ${number} AS ${BUCKET} FROM ${rows}${those})`;
}
