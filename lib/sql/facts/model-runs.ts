import type { Sql } from '../../core/sql-text.ts';
import { sql } from '../fragment.ts';
import { quotePath, quoteText } from '../quote.ts';

/** `model`, `run_id`, `status`, `finished_at`, `duration_ms`, `cost_usd`: what models did since an instant, the earliest first. */
export function selectModelRuns(pipeline: string, since: string): Sql {
  return sql`SELECT model, run_id, status, finished_at, duration_ms, cost_usd
FROM ${quotePath(`${pipeline}_ops`, 'model_runs')}
WHERE finished_at >= CAST(${quoteText(since)} AS TIMESTAMPTZ)
ORDER BY finished_at, model`;
}
