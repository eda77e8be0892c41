import type { KeyedMode } from '../core/spec.ts';
import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import { join, NOTHING, sql } from './fragment.ts';
import { SOURCE_FILE } from './keyed-columns.ts';
import { quoteName, quoteText } from './quote.ts';

/**
 * Full extracts by file with their sequence, the greatest in the file, as one Parquet file. `relations` hold log rows
 * and staged events of all buckets; a withdrawn file counts no longer unless it was staged again. A file with rows in
 * quarantine (`rejected`) is no full extract: the keys that it seems to lack may be among those rows.
 */
export function writeExtracts(
  mode: KeyedMode,
  relations: { readonly log: Sql; readonly staged: Sql; readonly rejected: readonly Sql[] },
  withdrawn: readonly string[],
  path: string,
): Statement {
  const sequence = quoteName(mode.sequence);
  const kept = withdrawn.length === 0 ? NOTHING : sql` WHERE ${SOURCE_FILE} NOT IN (${join(withdrawn.map(quoteText))})`;
  const incomplete = relations.rejected.map(
    (relation) => sql`SELECT source_file FROM ${relation} WHERE status <> 'released'`,
  );
  const whole =
    incomplete.length === 0 ? NOTHING : sql` WHERE ${SOURCE_FILE} NOT IN (${join(incomplete, ' UNION ALL ')})`;
  const select = sql`SELECT ${SOURCE_FILE} AS file, max(sequence) AS sequence FROM (
  SELECT ${SOURCE_FILE}, ${sequence} AS sequence FROM ${relations.log}${kept}
  UNION ALL
  SELECT ${SOURCE_FILE}, ${sequence} AS sequence FROM ${relations.staged}
)${whole} GROUP BY ALL`;
  return { name: 'extracts', text: sql`COPY (${select}) TO ${quoteText(path)} (FORMAT parquet, RETURN_STATS)` };
}
