SELECT CAST(to_json(list(struct_pack(run_id := run_id, succeeded := status = 'SUCCEEDED', started := epoch_ms(started_at),
  finished := epoch_ms(finished_at), duration_ms := coalesce(duration_ms, 0), error := error, cost_usd := cost_usd, cost_rate := cost_rate, read := read, rejected := rejected)
  ORDER BY started_at DESC, run_id DESC)) AS VARCHAR) AS facts
FROM (SELECT * FROM "p_ops"."runs"
  UNION ALL BY NAME SELECT CAST(NULL AS VARCHAR) AS kind, CAST(NULL AS DOUBLE) AS cost_usd, CAST(NULL AS VARCHAR) AS cost_rate WHERE false)
LEFT JOIN (
SELECT run_id, CAST(sum(read) AS BIGINT) AS read, CAST(sum(rejected) AS BIGINT) AS rejected
FROM (SELECT run_id, source, max(read) AS read, max(quarantined + condemned) AS rejected
  FROM "p_ops"."accounting" GROUP BY run_id, source)
GROUP BY run_id
) AS account USING (run_id)
WHERE finished_at IS NOT NULL AND coalesce(kind, 'run') = 'run'