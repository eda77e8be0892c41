import type { Sql, SqlName } from '../../core/sql-text.ts';
import type { Statement } from '../../core/statement.ts';
import { join, sql } from '../fragment.ts';
import type { Compared } from './by-key.ts';
import { columnAt } from './relations.ts';
import { renderHidden, renderSample } from './sample.ts';

export type RowComparison = { readonly columns: readonly Compared[]; readonly sample: number };

/**
 * What two relations do not have in common, rows that are there twice counting twice: `removed` and `added` rows, and some of
 * each with how often they come (`times`). NULLs are equal to each other, so are NaNs, and 0.0 to -0.0.
 */
export function compareRows([from, to]: readonly [SqlName, SqlName], { columns, sample }: RowComparison): Statement {
  const names = join(columns.map((_, at) => columnAt(at)));
  const counted = (side: SqlName, sign: number): Sql => sql`SELECT ${names}, ${sign} AS sign FROM ${side}`;
  const figures = [
    sql`coalesce(sum(-times) FILTER (times < 0), 0) AS removed`,
    sql`coalesce(sum(times) FILTER (times > 0), 0) AS added`,
    ...(sample === 0 ? [] : samples(columns, names, sample)),
  ];
  return {
    name: 'compare rows',
    text: sql`SELECT ${join(figures)}
FROM (
  SELECT ${names}, CAST(sum(sign) AS BIGINT) AS times
  FROM (${counted(from, -1)} UNION ALL ${counted(to, 1)}) GROUP BY ${names} HAVING sum(sign) <> 0
)`,
  };
}

function samples(columns: readonly Compared[], names: Sql, sample: number): readonly Sql[] {
  const values = columns.map((column, at) => sql`c${at} := ${renderHidden(columnAt(at), column)}`);
  const shown = renderSample([...values, sql`times := abs(times)`], sql`row(${names})`, sample);
  return [sql`${shown} FILTER (times < 0) AS removed_rows`, sql`${shown} FILTER (times > 0) AS added_rows`];
}
