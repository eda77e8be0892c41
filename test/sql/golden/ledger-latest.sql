SELECT table_name, arg_max(key, taken) AS key FROM (
  SELECT table_name, key, {'at': ingested_at, 'ingested': status = 'ingested'} AS taken FROM ops.files
  WHERE starts_with(key, 'p/s/') AND NOT contains(substr(key, length('p/s/') + 1), '/')
) GROUP BY table_name ORDER BY max(taken)
