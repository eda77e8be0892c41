SELECT DISTINCT key FROM (
  SELECT key, arg_max(status, {'at': ingested_at, 'ingested': status = 'ingested'}) AS status FROM ops.files
  WHERE key IN (SELECT unnest(['p/s/all, then a suspended', 'p/s/gone', 'p/s/o''x'])) GROUP BY key, etag, table_name
) WHERE status = 'suspended' ORDER BY key
