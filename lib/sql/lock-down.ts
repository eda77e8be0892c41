import type { Statement } from '../core/statement.ts';
import { sql } from './fragment.ts';
import { quoteTexts } from './quote.ts';

/**
 * Closes a session: from here on SQL reads and writes files below these folders (and the session's own for spilling)
 * only, loads nothing, attaches nothing, and cannot change that. Source: duckdb.org/docs/stable/operations_manual/securing_duckdb
 */
export function lockDown(folders: readonly string[]): readonly Statement[] {
  return [
    { name: 'allow folders', text: sql`SET allowed_directories = ${quoteTexts(folders)}` },
    { name: 'deny other files', text: sql`SET enable_external_access = false` },
    { name: 'lock the configuration', text: sql`SET lock_configuration = true` },
  ];
}
