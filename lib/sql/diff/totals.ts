import type { Sql, SqlName } from '../../core/sql-text.ts';
import type { Statement } from '../../core/statement.ts';
import type { ColumnType } from '../../core/types.ts';
import { join, NOTHING, sql } from '../fragment.ts';
import { columnAt } from './relations.ts';

/** Digits with which the sum of 10,000,000,000 values still has a place in DuckDB's decimals. */
const SUMMED_AT_ONCE = 28;
/** What sums of wide decimals are cut at, so that neither half grows beyond 128 bits. */
export const HALF = 10n ** 19n;

export function isNumeric({ kind }: ColumnType): boolean {
  return kind === 'int' || kind === 'bigint' || kind === 'decimal' || kind === 'float' || kind === 'double';
}

export function countRows(side: SqlName): Statement {
  return { name: `rows of ${side}`, text: sql`SELECT count(*) AS rows FROM ${side}` };
}

/** `rows` of a side, and what `renderSums` gives of its columns. */
export function selectTotals(side: SqlName, types: readonly ColumnType[]): Statement {
  const figures = [sql`count(*) AS rows`, ...renderSums(types, columnAt, NOTHING)];
  return { name: `totals of ${side}`, text: sql`SELECT ${join(figures)} FROM ${side}` };
}

/**
 * For each numeric column its sum as text, `s<number>`; of wide decimals the sums of the upper and lower halves of their
 * unscaled values, `h<number>` and `s<number>`. NULL is left out; the sum of nothing is NULL.
 */
export function renderSums(types: readonly ColumnType[], value: (at: number) => Sql, before: Sql): readonly Sql[] {
  return types.flatMap((type, at) => (isNumeric(type) ? sumsOf(type, value(at), sql`${at}`, before) : []));
}

/** Whether the sum of a column comes in halves. */
export function isHalved(type: ColumnType): boolean {
  return type.kind === 'decimal' && type.precision > SUMMED_AT_ONCE;
}

function sumsOf(type: ColumnType, value: Sql, number: Sql, before: Sql): readonly Sql[] {
  if (!isHalved(type)) return [sql`CAST(${sumOf(type)}(${value}) AS VARCHAR) AS ${before}s${number}`];
  const unscaled = sql`CAST(replace(CAST(${value} AS VARCHAR), '.', '') AS HUGEINT)`;
  return [
    sql`CAST(sum(${unscaled} // ${HALF}) AS VARCHAR) AS ${before}h${number}`,
    sql`CAST(sum(${unscaled} % ${HALF}) AS VARCHAR) AS ${before}s${number}`,
  ];
}

/** Floating numbers are summed with what rounding has lost. */
function sumOf({ kind }: ColumnType): Sql {
  return kind === 'float' || kind === 'double' ? sql`fsum` : sql`sum`;
}
