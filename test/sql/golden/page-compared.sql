SELECT model, count(*) AS runs, count(*) FILTER (status = 'FAILED') AS failed, avg(duration_ms) FILTER (status = 'SUCCEEDED') AS mean,
  quantile_cont(CAST(duration_ms AS DOUBLE), 0.5) FILTER (status = 'SUCCEEDED') AS p50, quantile_cont(CAST(duration_ms AS DOUBLE), 0.95) FILTER (status = 'SUCCEEDED') AS p95,
  arg_max(rows_out, started_at) FILTER (status = 'SUCCEEDED') AS rows_out, sum(cost_usd) AS cost_usd
FROM "p_ops"."model_runs" WHERE status IN ('SUCCEEDED', 'FAILED') AND starts_with(run_id, 'o''r')
GROUP BY model ORDER BY min(level), model