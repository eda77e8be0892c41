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

/** A data file of which it is known, by field id, under which names it has columns, each in the type of the table. */
export type KnownFile = { readonly path: string; readonly names: ReadonlyMap<number, string> };

/** A data file of which all rows count: its path where its columns are found by field id. */
export type WholeFile = string | KnownFile;

/** A data file that stays as it is and has lost rows. */
export type PartlyDeleted = { readonly path: string; readonly names?: KnownFile['names']; readonly deleted: Deleted };

/** A data file to scan. */
export type ScanFile = WholeFile | PartlyDeleted | NamedFile;

/**
 * A relation over data files by field id, so that files older than a column read it as NULL and renames are safe; by
 * name over the files that have no ids, and over those in which all columns are known by name, which takes half of the work. Rows
 * that position deletes take out are left out. `rows`: how many there are, by which a join knows its smaller side; DuckDB takes a
 * file for small whose columns are found by field id.
 */
export function renderScan(columns: readonly ScanColumn[], files: readonly ScanFile[], rows?: number): Sql {
  const groups = groupByNames(columns, files.filter(isWhole));
  const named = files.flatMap((file) => (typeof file === 'object' && 'values' in file ? [file] : []));
  const deleted = files.flatMap((file) => (isWhole(file) || 'values' in file ? [] : [file]));
  const parts = [...renderPartlyDeleted(columns, deleted), ...renderNamedFiles(columns, named)];
  const [only] = groups;
  if (only !== undefined && groups.length === 1 && parts.length === 0) return readWhole(columns, only, rows);
  const read = groups.map((group) => sql`SELECT * FROM ${readWhole(columns, group)}`);
  if (read.length + parts.length > 0) return sql`(${join([...read, ...parts], '\nUNION ALL\n')})`;
  const empty = columns.map((c) => sql`CAST(NULL AS ${duckType(c.type)}) AS ${quoteName(c.name)}`);
  return sql`(SELECT ${join(empty)} WHERE false)`;
}

export function isWhole(file: ScanFile): file is WholeFile {
  return typeof file === 'string' || !('values' in file || 'deleted' in file);
}

/** Where DuckDB says that a row lies; a column of that name, in a file that is read by name, would stand in front of it. */
export const PLACES: ReadonlySet<string> = new Set(['file_index', 'file_row_number']);

/** Files that were written with the columns under the names that they have here. */
export function writtenAs(columns: readonly ScanColumn[], paths: readonly string[]): readonly KnownFile[] {
  const names = new Map(columns.map(({ id, name }) => [id, name]));
  return paths.map((path) => ({ path, names }));
}

type Placed = WholeFile | PartlyDeleted;

export function pathOf(file: Placed): string {
  return typeof file === 'string' ? file : file.path;
}

/** Whether it is known of all files under which names they have the columns. */
export function readsByName(columns: readonly ScanColumn[], files: readonly WholeFile[]): boolean {
  return namesOf(columns, files) !== undefined;
}

/** Those that are read by name, and the others; many files share what is known of them. */
function groupByNames(columns: readonly ScanColumn[], files: readonly WholeFile[]): readonly (readonly WholeFile[])[] {
  const answers = new Map<KnownFile['names'] | undefined, boolean>();
  const groups = Map.groupBy(files, (file) => {
    const names = knownIn(file);
    const answer = answers.get(names) ?? readsByName(columns, [file]);
    answers.set(names, answer);
    return answer;
  });
  return [...groups.values()];
}

function knownIn(file: Placed): KnownFile['names'] | undefined {
  return typeof file === 'string' ? undefined : file.names;
}

/** Under which names all of the files have the columns; undefined where that is not known of one. */
function namesOf(columns: readonly ScanColumn[], files: readonly Placed[]): readonly string[] | undefined {
  const known = [...new Set(files.map(knownIn))];
  const names = columns.flatMap(({ id }) => {
    const [only, ...others] = new Set(known.map((of) => of?.get(id)));
    return only === undefined || others.length > 0 ? [] : [only];
  });
  return names.length === columns.length && names.length > 0 ? names : undefined;
}

function readWhole(columns: readonly ScanColumn[], files: readonly Placed[], rows?: number, places?: Sql): Sql {
  const paths = quoteTexts(files.map(pathOf));
  const known = rows === undefined || rows < 1 ? NOTHING : sql`, explicit_cardinality = ${rows}`;
  const names = namesOf(columns, files);
  const hides = places !== undefined && names?.some((name) => PLACES.has(name.toLowerCase())) === true;
  if (names !== undefined && !hides) {
    const select = columns.map(
      ({ name, type }, at) => sql`CAST(${quoteName(names[at] ?? name)} AS ${duckType(type)}) AS ${quoteName(name)}`,
    );
    return sql`(SELECT ${join(places === undefined ? select : [...select, places])} FROM read_parquet(${paths}, hive_partitioning = false${known}))`;
  }
  const schema = columns.map(
    (c) => sql`${c.id}: {'name': ${quoteText(c.name)}, 'type': ${quoteText(duckType(c.type))}, 'default_value': NULL}`,
  );
  return sql`read_parquet(${paths}, hive_partitioning = false, schema = MAP {${join(schema)}}${known})`;
}

function renderPartlyDeleted(columns: readonly ScanColumn[], files: readonly PartlyDeleted[]): readonly Sql[] {
  if (files.length === 0) return [];
  const { scan, select } = readUnderOurNames(columns, files);
  const left = renderAntiJoin(files.map(({ deleted }) => deleted));
  return [sql`SELECT ${join(select)} FROM ${scan} __s ${left}`];
}

/**
 * A scan under names of ours, so that no column of a table hides where its row lies (`file_index`, `file_row_number`), and
 * what to select from it as the columns.
 */
export function readUnderOurNames(
  columns: readonly ScanColumn[],
  files: readonly Placed[],
  rows?: number,
): { readonly scan: Sql; readonly select: readonly Sql[] } {
  const numbered = columns.map((column, at) => ({ ...column, name: `c${at}` }));
  const select = columns.map((column, at) => sql`${quoteName(`c${at}`)} AS ${quoteName(column.name)}`);
  return { scan: readWhole(numbered, files, rows, sql`file_index, file_row_number`), select };
}

/** The column of technical relations that holds each row's bucket: of its key, or of an exchange; or the range of its key. */
export const BUCKET = ownName('__bucket');

/** Rows of data files with their bucket, which is known by file: hashing every key again would cost more than the rest. */
export function renderBucketed(
  columns: readonly ScanColumn[],
  files: readonly { readonly file: ScanFile; readonly bucket: number }[],
  known?: number,
): Sql {
  const whole = files.flatMap(({ file, bucket }) => (isWhole(file) ? [{ file, bucket }] : []));
  const first =
    whole.length === 0
      ? sql`SELECT *, CAST(NULL AS INTEGER) AS ${BUCKET} FROM ${renderScan(columns, [])}`
      : renderNumbered(columns, whole, known);
  const others = Map.groupBy(
    files.filter(({ file }) => !isWhole(file)),
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
  files: readonly { readonly file: WholeFile; readonly bucket: number }[],
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
