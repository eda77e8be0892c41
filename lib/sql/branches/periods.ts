import type { Sql } from '../../core/sql-text.ts';
import type { Statement } from '../../core/statement.ts';
import { sql } from '../fragment.ts';
import { quoteText } from '../quote.ts';

/** A period of a branch. */
export type NamedPeriod = { readonly branch: string; readonly period: string };

/** `period`, `status`, `run_id`, `attempts` and `finished_at` (ISO text) of the periods of a branch, in their order. */
export function selectPeriods(branch: string): Statement {
  return {
    name: 'periods',
    text: sql`SELECT period, status, run_id, attempts,
  strftime(finished_at AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%gZ') AS finished_at
FROM ops.branches WHERE branch = ${quoteText(branch)} ORDER BY period, attempts`,
  };
}

/** All rows of the table but those of one period. */
export function withoutPeriod(table: Sql, { branch, period }: NamedPeriod): Sql {
  return sql`(SELECT * FROM ${table} WHERE NOT (branch = ${quoteText(branch)} AND period = ${quoteText(period)}))`;
}

/** `n`: the rows that a period has. */
export function countPeriod({ branch, period }: NamedPeriod): Statement {
  return {
    name: 'rows of a period',
    text: sql`SELECT count(*) AS n FROM ops.branches WHERE branch = ${quoteText(branch)} AND period = ${quoteText(period)}`,
  };
}
