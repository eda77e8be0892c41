import type { Statement } from '../core/statement.ts';
import { sql } from './fragment.ts';
import { quoteText, quoteTexts } from './quote.ts';

/** What is noted of a run as JSON, by the names of the table of runs; instants with their zone. */
const RECORD =
  '{"kind":"VARCHAR","started_at":"TIMESTAMPTZ","finished_at":"TIMESTAMPTZ","duration_ms":"BIGINT","files":"BIGINT","rows_read":"BIGINT","rows_added":"BIGINT","error":"VARCHAR","run_date":"DATE","cost_usd":"DOUBLE","cost_rate":"VARCHAR"}';

/**
 * The runs that notes at local paths tell of, each by the latest of them, with the columns of the table of runs. Notes of
 * earlier releases have only a text, which ends with how long the run took.
 */
export function selectFailedRuns(pipeline: string, paths: readonly string[]): Statement {
  return {
    name: 'failed runs',
    text: sql`WITH noted AS (
  SELECT run_id, to_timestamp(max(epoch_ms("at")) / 1000) AS ended,
    arg_max(detail, "at") FILTER (event = 'failed') AS said, arg_max(detail, "at") FILTER (event = 'recorded') AS record
  FROM read_parquet(${quoteTexts(paths)}, hive_partitioning = false)
  WHERE run_id IS NOT NULL AND event IN ('failed', 'recorded') GROUP BY run_id
), told AS (
  SELECT run_id, ended, from_json(record, ${quoteText(RECORD)}) AS run, regexp_replace(said, ' \\(after \\d+ ms\\)$', '') AS error,
    TRY_CAST(regexp_extract(said, ' \\(after (\\d+) ms\\)$', 1) AS BIGINT) AS ms
  FROM noted
)
SELECT ${quoteText(pipeline)} AS pipeline, run_id, 'FAILED' AS status,
  coalesce(run.started_at, ended - to_milliseconds(ms)) AS started_at, coalesce(run.finished_at, ended) AS finished_at,
  coalesce(run.duration_ms, ms) AS duration_ms, run.files AS files, run.rows_read AS rows_read, run.rows_added AS rows_added,
  coalesce(run.error, error) AS error, run.kind AS kind,
  CAST(NULL AS BIGINT) AS bytes_kept, CAST(NULL AS BIGINT) AS bytes_brought, CAST(NULL AS BIGINT) AS bytes_skipped,
  run.run_date AS run_date, run.cost_usd AS cost_usd, run.cost_rate AS cost_rate
FROM told ORDER BY started_at DESC, run_id DESC`,
  };
}
