import type { FactTable } from '../../core/ops.ts';
import type { Sql } from '../../core/sql-text.ts';
import { sql } from '../fragment.ts';
import { quotePath, quoteTexts } from '../quote.ts';

/** The rows of a book about some runs. */
export function selectRecorded(pipeline: string, book: FactTable | 'runs', runs: readonly string[]): Sql {
  return sql`SELECT * FROM ${quotePath(`${pipeline}_ops`, book)} WHERE list_contains(${quoteTexts(runs)}, run_id)`;
}
