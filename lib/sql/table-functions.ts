import { quoteText, quoteTexts } from './quote.ts';

/** The column that scans of landed files add: the local path of the file that a row comes from. */
export const FILE = '__file';

/** Parquet files as they are, for DESCRIBE; a folder called `k=v` adds no column. */
export function scanParquet(paths: readonly string[], file = ''): string {
  return `read_parquet(${quoteTexts(paths)}, hive_partitioning = false, union_by_name = false${file})`;
}

/**
 * Parquet files of one shape. Columns are called `c0`, `c1` and so on by their place, since DuckDB compares names without
 * regard to case, and the column with the file's path is called so only after any of the files' own.
 */
export function readParquet(paths: readonly string[], columns: readonly { readonly name: string }[]): string {
  const names = new Set(columns.map((c) => c.name.toLowerCase()));
  let file = FILE;
  while (names.has(file)) file += '_';
  const called = [...columns.map((_, i) => `c${i}`), FILE].join(', ');
  return `(SELECT * FROM ${scanParquet(paths, `, filename = ${quoteText(file)}`)} AS t(${called}))`;
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
const NO_DELIMITER = 'chr(1)';

/** Delimited UTF-8 text whose records end in a line feed; every value arrives as text. Nothing is guessed from the data. */
export function readText(paths: readonly string[], scan: TextScan): string {
  const { line, buffer } = scan.maxFileBytes < SMALL.line ? SMALL : USUAL;
  const lineBytes = Math.max(line, scan.maxRecordBytes + 1024);
  return `read_csv(${[
    quoteTexts(paths),
    `columns = {${scan.columns.map((name) => `${quoteText(name)}: 'VARCHAR'`).join(', ')}}`,
    'auto_detect = false',
    `header = ${scan.header}`,
    `delim = ${scan.delimiter === '' ? NO_DELIMITER : quoteText(scan.delimiter)}`,
    `quote = ${quoteText(scan.quote)}`,
    `escape = ${quoteText(scan.escape)}`,
    "new_line = '\\n'",
    `nullstr = ${quoteTexts(scan.nullText)}`,
    'allow_quoted_nulls = false',
    "compression = 'none'",
    'hive_partitioning = false',
    `max_line_size = ${lineBytes}`,
    `buffer_size = ${Math.max(buffer, 2 * lineBytes)}`,
    ...renderRejects(scan.rejects),
    `filename = ${quoteText(FILE)}`,
  ].join(', ')})`;
}

function renderRejects(rejects: RejectTables | undefined): readonly string[] {
  if (rejects === undefined) return ['ignore_errors = true'];
  return [
    'store_rejects = true',
    `rejects_table = ${quoteText(rejects.errors)}`,
    `rejects_scan = ${quoteText(rejects.scans)}`,
    'rejects_limit = 0',
  ];
}
