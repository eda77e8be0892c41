import type { Sql } from '../core/sql-text.ts';
import { join, NOTHING, sql } from './fragment.ts';
import { ownName, quoteText, quoteTexts } from './quote.ts';

/** The column that scans of landed files add: the local path of the file that a row comes from. */
export const FILE = ownName('__file');

/** Parquet files as they are, for DESCRIBE; a folder called `k=v` adds no column. */
export function scanParquet(paths: readonly string[], file = NOTHING): Sql {
  return sql`read_parquet(${quoteTexts(paths)}, hive_partitioning = false, union_by_name = false${file})`;
}

/**
 * Parquet files of one shape. Columns are called `c0`, `c1` and so on by their place, since DuckDB compares names without
 * regard to case, and the column with the file's path is called so only after any of the files' own. `numbered`: with
 * the file's number as `file_index`.
 */
export function readParquet(
  paths: readonly string[],
  columns: readonly { readonly name: string }[],
  numbered = false,
): Sql {
  const names = new Set(columns.map((c) => c.name.toLowerCase()));
  let file: string = FILE;
  while (names.has(file)) file += '_';
  const called = join([...columns.map((_, i) => sql`c${i}`), FILE]);
  const index = numbered ? sql`, file_index` : NOTHING;
  return sql`(SELECT *${index} FROM ${scanParquet(paths, sql`, filename = ${quoteText(file)}`)} AS t(${called}))`;
}

/** Where structurally broken records go; each scan names tables of its own so that scans never mix. */
export type RejectTables = { readonly errors: string; readonly scans: string };

export type TextScan = {
  readonly columns: readonly string[];
  readonly header: boolean;
  readonly delimiter: string;
  readonly quote: string;
  readonly escape: string;
  readonly nullText: readonly string[];
  /** Bytes of the longest record of all files. DuckDB loses records that are longer than its buffer. */
  readonly maxRecordBytes: number;
  readonly maxFileBytes: number;
  /** Tables that take the records refused for their structure, one pair per scan; without, they are passed over. */
  readonly rejects: RejectTables | undefined;
};

const MIB = 1024 * 1024;
/** DuckDB's own sizes, and ones for small files, since every file gets a buffer of its own. */
const USUAL = { line: 2 * MIB, buffer: 32 * MIB };
const SMALL = { line: MIB, buffer: 2 * MIB };
/** Separates nothing: JSON does not allow it in a line. */
const NO_DELIMITER = sql`chr(1)`;

/** Delimited UTF-8 text whose records end in a line feed; every value arrives as text. Nothing is guessed from the data. */
export function readText(paths: readonly string[], scan: TextScan): Sql {
  const { line, buffer } = scan.maxFileBytes < SMALL.line ? SMALL : USUAL;
  const lineBytes = Math.max(line, scan.maxRecordBytes + 1024);
  return sql`read_csv(${join([
    quoteTexts(paths),
    sql`columns = {${join(scan.columns.map((name) => sql`${quoteText(name)}: 'VARCHAR'`))}}`,
    sql`auto_detect = false`,
    sql`header = ${scan.header ? sql`true` : sql`false`}`,
    sql`delim = ${scan.delimiter === '' ? NO_DELIMITER : quoteText(scan.delimiter)}`,
    sql`quote = ${quoteText(scan.quote)}`,
    sql`escape = ${quoteText(scan.escape)}`,
    sql`new_line = '\\n'`,
    sql`nullstr = ${quoteTexts(scan.nullText)}`,
    sql`allow_quoted_nulls = false`,
    sql`compression = 'none'`,
    sql`hive_partitioning = false`,
    sql`max_line_size = ${lineBytes}`,
    sql`buffer_size = ${Math.max(buffer, 2 * lineBytes)}`,
    ...renderRejects(scan.rejects),
    sql`filename = ${quoteText(FILE)}`,
  ])})`;
}

function renderRejects(rejects: RejectTables | undefined): readonly Sql[] {
  if (rejects === undefined) return [sql`ignore_errors = true`];
  return [
    sql`store_rejects = true`,
    sql`rejects_table = ${quoteText(rejects.errors)}`,
    sql`rejects_scan = ${quoteText(rejects.scans)}`,
    sql`rejects_limit = 0`,
  ];
}
