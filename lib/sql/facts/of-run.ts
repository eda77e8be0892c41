import type { OpsTable } from '../../core/ops.ts';
import type { Sql } from '../../core/sql-text.ts';
import { join, sql } from '../fragment.ts';
import { quoteName, quotePath, quoteText } from '../quote.ts';

/** The files that a run did not take, by their place in bronze. */
export function selectRefusedFiles(pipeline: string, runId: string): Sql {
  const table = quotePath(`${pipeline}_ops`, 'files' satisfies OpsTable);
  return sql`SELECT source, key, status, code, reason FROM ${table} WHERE run_id = ${quoteText(runId)} AND status <> 'ingested' ORDER BY source, key`;
}

/** What one book of a pipeline has of a run, in the order of some columns. */
export function selectOfRun(pipeline: string, book: OpsTable, runId: string, by: readonly string[]): Sql {
  const table = quotePath(`${pipeline}_ops`, book);
  return sql`SELECT * FROM ${table} WHERE run_id = ${quoteText(runId)} ORDER BY ${join(by.map((name) => quoteName(name)))}`;
}
