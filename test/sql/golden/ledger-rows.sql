SELECT key, etag, table_name, unnest(last) FROM (
  SELECT key, etag, table_name, max(ingested_at) AS last_at, arg_max(
    {'source': source, 'size': size, 'status': status, 'code': code, 'reason': reason, 'run_id': run_id, 'at': CAST(ingested_at AS VARCHAR)},
    {'at': ingested_at, 'ingested': status = 'ingested'}
  ) AS last FROM ops.files WHERE key IN (SELECT key FROM unsettled) GROUP BY ALL
) ORDER BY last_at, last.status = 'ingested'
