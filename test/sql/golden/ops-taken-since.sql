SELECT key, etag, arg_max(run_id, ingested_at) AS run_id, bool_or(place IS NOT NULL AND ingested_at > CAST('2026-01-02T12:00:00Z' AS TIMESTAMPTZ)) AS corrects
FROM ops.files WHERE source = 's' AND status = 'ingested' AND (table_name IS NULL OR table_name = 'a')
GROUP BY key, etag HAVING min(ingested_at) > CAST('2026-01-02T12:00:00Z' AS TIMESTAMPTZ) ORDER BY key, etag
