import type { Sql } from '../../core/sql-text.ts';
import { NOTHING, sql } from '../fragment.ts';
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

/**
 * One row, `facts`: a JSON list of the runs of a pipeline that have ended, without maintenance, the newest first, of each what figures are made
 * of; instants in ms since the epoch. As rows, thousands of them would take most of the time of who asks. Books of earlier releases lack
 * columns. `counted`: with what each read and rejected.
 */
export function selectRunFacts(pipeline: string, counted: boolean): Sql {
  const account = counted
    ? sql`LEFT JOIN (
${sumRejected(pipeline)}
) AS account USING (run_id)`
    : NOTHING;
  const counts = counted ? sql`, read := read, rejected := rejected` : NOTHING;
  return sql`SELECT CAST(to_json(list(struct_pack(run_id := run_id, succeeded := status = 'SUCCEEDED', started := epoch_ms(started_at),
  finished := epoch_ms(finished_at), duration_ms := coalesce(duration_ms, 0), error := error, cost_usd := cost_usd, cost_rate := cost_rate${counts})
  ORDER BY started_at DESC, run_id DESC)) AS VARCHAR) AS facts
FROM (SELECT * FROM ${quotePath(`${pipeline}_ops`, 'runs')}
  UNION ALL BY NAME SELECT CAST(NULL AS VARCHAR) AS kind, CAST(NULL AS DOUBLE) AS cost_usd, CAST(NULL AS VARCHAR) AS cost_rate WHERE false)
${account}
WHERE finished_at IS NOT NULL AND coalesce(kind, 'run') = 'run'`;
}
