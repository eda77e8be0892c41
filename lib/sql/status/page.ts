import type { Sql } from '../../core/sql-text.ts';
import { join, NOTHING, sql } from '../fragment.ts';
import { quotePath, quoteText } from '../quote.ts';

/** Runs of a model: those that began at an instant or later, or whose id begins with some text. */
export type RunChoice = { readonly since: string } | { readonly beginning: string };

/**
 * `model`, `runs`, `failed`, `mean`, `p50`, `p95` (ms, of those that succeeded), `rows_out` of the latest, `cost_usd` of all; by model.
 * One that had no fault in a run that failed is no run of the model.
 */
export function figureModels(pipeline: string, choice: RunChoice): Sql {
  const chosen =
    'since' in choice
      ? sql`started_at >= CAST(${quoteText(choice.since)} AS TIMESTAMPTZ)`
      : sql`starts_with(run_id, ${quoteText(choice.beginning)})`;
  const good = sql`FILTER (status = 'SUCCEEDED')`;
  return sql`SELECT model, count(*) AS runs, count(*) FILTER (status = 'FAILED') AS failed, avg(duration_ms) ${good} AS mean,
  quantile_cont(CAST(duration_ms AS DOUBLE), 0.5) ${good} AS p50, quantile_cont(CAST(duration_ms AS DOUBLE), 0.95) ${good} AS p95,
  arg_max(rows_out, started_at) ${good} AS rows_out, sum(cost_usd) AS cost_usd
FROM ${quotePath(`${pipeline}_ops`, 'model_runs')} WHERE status IN ('SUCCEEDED', 'FAILED') AND ${chosen}
GROUP BY model ORDER BY min(level), model`;
}

/** `model`, `status`, `run_id`, `ended` (an instant in UTC), `error`: how the latest run of each model that succeeded ended, and the latest that failed. */
export function latestEnds(pipeline: string): Sql {
  return sql`SELECT model, status, run_id, strftime(finished_at AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%gZ') AS ended, error
FROM ${quotePath(`${pipeline}_ops`, 'model_runs')} WHERE status IN ('SUCCEEDED', 'FAILED')
QUALIFY row_number() OVER (PARTITION BY model, status ORDER BY finished_at DESC, run_id DESC) = 1 ORDER BY model, status`;
}

/** `day` (UTC), `code`, `rows`: rows that were rejected since an instant, the codes with most first. */
export function countRejectedByDay(pipeline: string, since: string): Sql {
  return sql`SELECT strftime(quarantined_at AT TIME ZONE 'UTC', '%Y-%m-%d') AS day, code, count(*) AS rows
FROM (SELECT unnest(codes) AS code, quarantined_at FROM ${quotePath(`${pipeline}_ops`, 'quarantine')}
  WHERE quarantined_at >= CAST(${quoteText(since)} AS TIMESTAMPTZ))
GROUP BY day, code ORDER BY sum(count(*)) OVER (PARTITION BY code) DESC, code, day`;
}

/** A column of a table, by the table's full name. */
export type NamedColumn = { readonly table: string; readonly column: string };

/** `table`, `column`, `rows`, `nulls`, `key_ok`: what the latest run that wrote a table says of its columns; without some of them. */
export function latestQuality(pipeline: string, without: readonly NamedColumn[]): Sql {
  return sql`${qualityOf(pipeline, without)}
SELECT "table", "column", arg_max("rows", ended) AS "rows", arg_max(nulls, ended) AS nulls, arg_max(unique_key_ok, ended) AS key_ok
FROM known GROUP BY "table", "column" ORDER BY "table", "column"`;
}

/** `day`, `column` (with its table), `percent`: the share of nulls in what runs wrote each day, of the columns with the highest. */
export function countNulls(pipeline: string, without: readonly NamedColumn[], since: string, most: number): Sql {
  return sql`${qualityOf(pipeline, without)}, recent AS (
  SELECT "table" || '.' || "column" AS "column", strftime(ended AT TIME ZONE 'UTC', '%Y-%m-%d') AS day, "rows", nulls FROM known
  WHERE ended >= CAST(${quoteText(since)} AS TIMESTAMPTZ) AND "rows" > 0 AND nulls IS NOT NULL
), worst AS (
  SELECT "column", sum(nulls) / sum("rows") AS share FROM recent GROUP BY "column" HAVING sum(nulls) > 0 ORDER BY share DESC, "column" LIMIT ${most}
)
SELECT day, "column", 100 * sum(nulls) / sum("rows") AS percent FROM recent JOIN worst USING ("column")
GROUP BY day, "column", share ORDER BY share DESC, "column", day`;
}

/** Quality has no time of its own: that of its run is. */
function qualityOf(pipeline: string, without: readonly NamedColumn[]): Sql {
  const [quality, runs] = [quotePath(`${pipeline}_ops`, 'quality'), quotePath(`${pipeline}_ops`, 'runs')];
  // Fields of a column are rows of their own.
  const named = without.map(
    ({ table, column }) =>
      sql`("table" = ${quoteText(table)} AND ("column" = ${quoteText(column)} OR starts_with("column", ${quoteText(`${column}.`)})))`,
  );
  const kept = named.length === 0 ? NOTHING : sql` WHERE NOT (${join(named, ' OR ')})`;
  return sql`WITH known AS (SELECT q.*, r.finished_at AS ended FROM ${quality} q JOIN ${runs} r USING (run_id)${kept})`;
}
