import type { Sql } from '../../core/sql-text.ts';
import { sql } from '../fragment.ts';
import { quotePath, quoteText } from '../quote.ts';

/**
 * `code`, `quarantined`, `condemned`, `last_day`: rejected rows of a pipeline that have not been released, by error code, most first.
 * A row counts under each of its codes; `last_day` of those since an instant.
 */
export function countCodes(pipeline: string, since: string): Sql {
  return sql`SELECT code, count(*) FILTER (status = 'quarantined') AS quarantined, count(*) FILTER (status = 'condemned') AS condemned,
  count(*) FILTER (quarantined_at >= CAST(${quoteText(since)} AS TIMESTAMPTZ)) AS last_day
FROM (SELECT unnest(codes) AS code, status, quarantined_at FROM ${quotePath(`${pipeline}_ops`, 'quarantine')} WHERE status <> 'released')
GROUP BY code ORDER BY count(*) DESC, code`;
}

/** `run_id`, `read`, `rejected` of each run; of a source whose tables count differently, by the one that kept back most. */
export function sumRejected(pipeline: string): Sql {
  return sql`SELECT run_id, CAST(sum(read) AS BIGINT) AS read, CAST(sum(rejected) AS BIGINT) AS rejected
FROM (SELECT run_id, source, max(read) AS read, max(quarantined + condemned) AS rejected
  FROM ${quotePath(`${pipeline}_ops`, 'accounting')} GROUP BY run_id, source)
GROUP BY run_id`;
}
