import type { RunDate } from '../core/run-date.ts';
import type { Statement } from '../core/statement.ts';
import { sql } from './fragment.ts';
import { quoteText } from './quote.ts';

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
