import type { Sql } from '../core/sql-text.ts';
import { NOTHING, sql } from './fragment.ts';
import { type QuarantineFilter, renderQuarantineFilter } from './quarantine-table.ts';
import { quotePath, quoteText } from './quote.ts';

/** Queries over a pipeline's quarantine table by its full name; filters as for its release. */

/** Rows by source, code and status, most first; a row counts under each of its codes. */
export function summarizeQuarantine(pipeline: string, filter: QuarantineFilter): Sql {
  return sql`SELECT source, code, status, count(*) AS rows
FROM (SELECT source, unnest(codes) AS code, status FROM ${tableOf(pipeline)} WHERE ${renderQuarantineFilter(filter)})
GROUP BY ALL ORDER BY rows DESC, source, code, status`;
}

/** Whole rows, the newest run's first and in the order of its files; `limit` undefined: all of them. */
export function selectQuarantined(pipeline: string, filter: QuarantineFilter, limit?: number): Sql {
  const cut = limit === undefined ? NOTHING : sql` LIMIT ${limit}`;
  return sql`SELECT * FROM ${tableOf(pipeline)} WHERE ${renderQuarantineFilter(filter)}
ORDER BY quarantined_at DESC, source, source_file, line, row_hash${cut}`;
}

/** `rows`, and how many of them were `released`. */
export function countQuarantined(pipeline: string, filter: QuarantineFilter): Sql {
  return sql`SELECT count(*) AS rows, count(*) FILTER (status = 'released') AS released FROM ${tableOf(pipeline)} WHERE ${renderQuarantineFilter(filter)}`;
}

/** Distinct row hashes that begin with some text, in order. */
export function selectHashes(pipeline: string, prefix: string, limit: number): Sql {
  return sql`SELECT DISTINCT row_hash FROM ${tableOf(pipeline)} WHERE starts_with(row_hash, ${quoteText(prefix)}) ORDER BY row_hash LIMIT ${limit}`;
}

/** Every row of one hash, the first arrival first. */
export function selectArrivals(pipeline: string, hash: string): Sql {
  return sql`SELECT * FROM ${tableOf(pipeline)} WHERE row_hash = ${quoteText(hash)} ORDER BY quarantined_at, source_file, line`;
}

/** Other rows that have the business key of a row, the first arrival first. */
export function selectSameKey(pipeline: string, hash: string): Sql {
  const table = tableOf(pipeline);
  return sql`SELECT q.* FROM ${table} q
SEMI JOIN (SELECT source, business_key FROM ${table} WHERE row_hash = ${quoteText(hash)}) k
ON q.source = k.source AND q.business_key = k.business_key
WHERE q.row_hash <> ${quoteText(hash)} ORDER BY q.quarantined_at, q.source_file, q.line`;
}

function tableOf(pipeline: string): Sql {
  return quotePath(`${pipeline}_ops`, 'quarantine');
}
