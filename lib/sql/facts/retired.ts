import type { Sql } from '../../core/sql-text.ts';
import type { Statement } from '../../core/statement.ts';
import { sql } from '../fragment.ts';
import { quoteName, quoteText, quoteTexts } from '../quote.ts';

/** Rows of facts that are past their time: by a column of the table, or by the ids of their runs. */
export type Retired =
  | { readonly column: string /** ISO instant. */; readonly before: string }
  | { readonly runs: readonly string[] };

function renderRetired(retired: Retired): Sql {
  if ('runs' in retired) return sql`run_id IN (SELECT unnest(${quoteTexts(retired.runs)}))`;
  return sql`${quoteName(retired.column)} < CAST(${quoteText(retired.before)} AS TIMESTAMPTZ)`;
}

export function countRetiredFacts(table: Sql, retired: Retired): Statement {
  return { name: 'count_retired', text: sql`SELECT count(*) AS rows FROM ${table} WHERE ${renderRetired(retired)}` };
}

/** The rows that stay. */
export function renderFactsLeft(table: Sql, retired: Retired): Sql {
  return sql`(SELECT * FROM ${table} WHERE NOT coalesce(${renderRetired(retired)}, false))`;
}

/** `run_id`: runs of which all that is known of their models is past its time. */
export function selectRetiredRuns(table: Sql, before: string): Statement {
  return {
    name: 'retired runs',
    text: sql`SELECT run_id FROM ${table} GROUP BY run_id HAVING max(finished_at) < CAST(${quoteText(before)} AS TIMESTAMPTZ) ORDER BY run_id`,
  };
}
