import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import { join, sql } from './fragment.ts';
import { ownName, quoteName, quoteText } from './quote.ts';
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
const NTH = ownName('__strata_nth');

/** The rows of a scan that are asked for. Of no files there are no rows, and `columns` say of what they are none. */
export function filterRows(
  { paths, rows }: { readonly paths: readonly string[]; readonly rows?: RowFilter },
  columns: readonly string[],
  scan: () => Sql,
): Sql {
  const [path] = paths;
  if (path === undefined) {
    const empty = [...columns, FILE].map((name) => sql`CAST(NULL AS VARCHAR) AS ${quoteName(name)}`);
    return sql`(SELECT ${join(empty)} WHERE false)`;
  }
  if (rows === undefined) return scan();
  const conditions = [
    // DuckDB sees that nothing can be at least 0 and below 0, and would not read the file.
    ...(rows.from === undefined || rows.from === 0 ? [] : [sql`${NTH} >= ${rows.from}`]),
    ...(rows.to === undefined ? [] : [sql`${NTH} < ${rows.to}`]),
    ...(rows.without.length === 0 ? [] : [sql`${NTH} NOT IN (${join(rows.without)})`]),
  ];
  const numbered =
    rows.copy === undefined
      ? renderNumbered(scan())
      : sql`(SELECT *, ${quoteText(path)} AS ${FILE} FROM read_parquet(${quoteText(rows.copy)}, hive_partitioning = false))`;
  return sql`(SELECT * EXCLUDE (${NTH}) FROM ${numbered} WHERE ${join(conditions, ' AND ') || sql`true`})`;
}

/** Writes a scan's rows with their numbers, in groups so small that few are read beside those that are asked for. */
export function copyWithNumbers(scan: Sql, target: string): Statement {
  return {
    name: 'number_records',
    text: sql`COPY (SELECT * EXCLUDE (${FILE}) FROM ${renderNumbered(scan)}) TO ${quoteText(target)} (FORMAT parquet, ROW_GROUP_SIZE 2048)`,
  };
}

function renderNumbered(scan: Sql): Sql {
  return sql`(SELECT *, row_number() OVER () - 1 AS ${NTH} FROM ${scan})`;
}
