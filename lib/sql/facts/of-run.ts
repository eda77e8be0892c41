import type { OpsTable } from '../../core/ops.ts';
import type { Sql } from '../../core/sql-text.ts';
import { join, sql } from '../fragment.ts';
import { quoteName, quotePath, quoteText } from '../quote.ts';

/** What one book of a pipeline has of a run, in the order of some columns. */
export function selectOfRun(pipeline: string, book: OpsTable, runId: string, by: readonly string[]): Sql {
  const table = quotePath(`${pipeline}_ops`, book);
  return sql`SELECT * FROM ${table} WHERE run_id = ${quoteText(runId)} ORDER BY ${join(by.map((name) => quoteName(name)))}`;
}
