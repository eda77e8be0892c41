SELECT source, key, size, status, records, code, reason, run_id, ingested_at, table_name FROM (
  SELECT *, max(ingested_at) FILTER (table_name IS NULL) OVER (PARTITION BY key, etag) AS shared_at FROM ops.files
  QUALIFY row_number() OVER (PARTITION BY key, etag, table_name ORDER BY ingested_at DESC, status = 'ingested' DESC) = 1
    AND (table_name IS NULL OR shared_at IS NULL OR ingested_at > shared_at)
) AS latest WHERE source = 's' AND status = 'ingested' ORDER BY source, key, etag, table_name
