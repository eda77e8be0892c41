import type { RunDate } from '../core/run-date.ts';
import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import { sql } from './fragment.ts';
import { quoteName, quoteText } from './quote.ts';

/** Whether a row's day or local time is at most so many days before the run date. */
export function isInTime({ column, days }: { readonly column: string; readonly days: number }): Sql {
  return sql`${quoteName(column)} >= run_date() - to_days(${days})`;
}

/** Whether a row's instant is this one or later: ISO 8601. */
export function isSince(column: string, instant: string): Sql {
  return sql`${quoteName(column)} >= CAST(${quoteText(instant)} AS TIMESTAMPTZ)`;
}

/** Undoes it. */
export function dropRunDate(): readonly Statement[] {
  return [
    { name: 'drop run date', text: sql`DROP MACRO IF EXISTS run_date` },
    { name: 'drop run time', text: sql`DROP MACRO IF EXISTS run_time` },
  ];
}

/** What makes `run_date()` and `run_time()` constants of a session. */
export function setRunDate({ date, time }: RunDate): readonly Statement[] {
  return [
    { name: 'run date', text: sql`CREATE OR REPLACE MACRO run_date() AS CAST(${quoteText(date)} AS DATE)` },
    { name: 'run time', text: sql`CREATE OR REPLACE MACRO run_time() AS CAST(${quoteText(time)} AS TIMESTAMPTZ)` },
  ];
}
