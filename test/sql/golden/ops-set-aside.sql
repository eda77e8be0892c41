SELECT source, key, etag, status, code, reason, run_id, CAST(ingested_at AS VARCHAR) AS at FROM (
  SELECT * FROM ops.files SEMI JOIN (SELECT key, etag FROM ops.files WHERE status <> 'ingested') USING (key, etag)
  QUALIFY row_number() OVER (PARTITION BY key, etag ORDER BY ingested_at DESC, status = 'ingested' DESC) = 1
) WHERE status <> 'ingested' ORDER BY source, key, etag
