import type { Statement } from '../core/statement.ts';
import { quoteName, quoteText } from './quote.ts';
import { FILE } from './table-functions.ts';

/** Well-formed records of one file, numbered from 0: a range (`to` is exclusive), and those in it that are left out. */
export type RowFilter = {
  readonly from?: number;
  readonly to?: number;
  readonly without: readonly number[];
  /** A copy of the records with their numbers, which is read in place of the file: a part of it is found at once. */
  readonly copy?: string;
};

/** A row's number among the well-formed records of its file. */
const NTH = '__strata_nth';

/** The rows of a scan that are asked for. Of no files there are no rows, and `columns` say of what they are none. */
export function filterRows(
  { paths, rows }: { readonly paths: readonly string[]; readonly rows?: RowFilter },
  columns: readonly string[],
  scan: () => string,
): string {
  const [path] = paths;
  if (path === undefined) {
    const empty = [...columns, FILE].map((name) => `CAST(NULL AS VARCHAR) AS ${quoteName(name)}`);
    return `(SELECT ${empty.join(', ')} WHERE false)`;
  }
  if (rows === undefined) return scan();
  const conditions = [
    // DuckDB sees that nothing can be at least 0 and below 0, and would not read the file.
    ...((rows.from ?? 0) === 0 ? [] : [`${NTH} >= ${rows.from}`]),
    ...(rows.to === undefined ? [] : [`${NTH} < ${rows.to}`]),
    ...(rows.without.length === 0 ? [] : [`${NTH} NOT IN (${rows.without.join(', ')})`]),
  ];
  const numbered =
    rows.copy === undefined
      ? renderNumbered(scan())
      : `(SELECT *, ${quoteText(path)} AS ${FILE} FROM read_parquet(${quoteText(rows.copy)}, hive_partitioning = false))`;
  return `(SELECT * EXCLUDE (${NTH}) FROM ${numbered} WHERE ${conditions.join(' AND ') || 'true'})`;
}

/** Writes a scan's rows with their numbers, in groups so small that few are read beside those that are asked for. */
export function copyWithNumbers(scan: string, target: string): Statement {
  return {
    name: 'number_records',
    text: `COPY (SELECT * EXCLUDE (${FILE}) FROM ${renderNumbered(scan)}) TO ${quoteText(target)} (FORMAT parquet, ROW_GROUP_SIZE 2048)`,
  };
}

function renderNumbered(scan: string): string {
  return `(SELECT *, row_number() OVER () - 1 AS ${NTH} FROM ${scan})`;
}
