SELECT source, key, size, status, records, code, reason, run_id, ingested_at FROM (
  SELECT * FROM ops.files QUALIFY row_number() OVER (PARTITION BY key, etag ORDER BY ingested_at DESC, status = 'ingested' DESC) = 1
) WHERE source = 's' AND status = 'ingested' ORDER BY source, key, etag
