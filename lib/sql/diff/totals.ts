import type { Sql, SqlName } from '../../core/sql-text.ts';
import type { Statement } from '../../core/statement.ts';
import type { ColumnType } from '../../core/types.ts';
import { join, sql } from '../fragment.ts';
import { columnAt } from './relations.ts';

/** Digits with which the sum of 10,000,000,000 values still has a place in DuckDB's decimals. */
const SUMMED_AT_ONCE = 28;
/** What sums of wide decimals are cut at, so that neither half grows beyond 128 bits. */
export const HALF = 10n ** 19n;

export function isNumeric({ kind }: ColumnType): boolean {
  return kind === 'int' || kind === 'bigint' || kind === 'decimal' || kind === 'float' || kind === 'double';
}

/**
 * `rows` of a side, and for each numeric column its sum as text, `s<number>`; of wide decimals the sums of the upper and lower
 * halves of their unscaled values, `h<number>` and `s<number>`. NULL is left out; the sum of nothing is NULL.
 */
export function selectTotals(side: SqlName, types: readonly ColumnType[]): Statement {
  const sums = types.flatMap((type, at) => (isNumeric(type) ? sumsOf(type, at) : []));
  return { name: `totals of ${side}`, text: sql`SELECT ${join([sql`count(*) AS rows`, ...sums])} FROM ${side}` };
}

/** Whether the sum of a column comes in halves. */
export function isHalved(type: ColumnType): boolean {
  return type.kind === 'decimal' && type.precision > SUMMED_AT_ONCE;
}

function sumsOf(type: ColumnType, at: number): readonly Sql[] {
  const column = columnAt(at);
  if (!isHalved(type)) return [sql`CAST(${sumOf(type)}(${column}) AS VARCHAR) AS s${at}`];
  const unscaled = sql`CAST(replace(CAST(${column} AS VARCHAR), '.', '') AS HUGEINT)`;
  return [
    sql`CAST(sum(${unscaled} // ${HALF}) AS VARCHAR) AS h${at}`,
    sql`CAST(sum(${unscaled} % ${HALF}) AS VARCHAR) AS s${at}`,
  ];
}

/** Floating numbers are summed with what rounding has lost. */
function sumOf({ kind }: ColumnType): Sql {
  return kind === 'float' || kind === 'double' ? sql`fsum` : sql`sum`;
}
