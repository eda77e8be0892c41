import type { Sql } from '../../core/sql-text.ts';
import type { Statement } from '../../core/statement.ts';
import { sql } from '../fragment.ts';
import { quoteTexts } from '../quote.ts';

/** Those of some runs whose decisions a table of approvals has. */
export function selectEntered(approvals: Sql, runIds: readonly string[]): Statement {
  return {
    name: 'decisions that are entered',
    text: sql`SELECT DISTINCT run_id FROM ${approvals} WHERE list_contains(${quoteTexts(runIds)}, run_id)`,
  };
}
