(SELECT * EXCLUDE (reader, reader_name, nth, n, attempts, first)
  REPLACE (CASE WHEN false THEN attempts ELSE attempt END AS attempt,
    CASE WHEN NOT (false) THEN coalesce(table_name, reader_name) END AS table_name)
FROM __shared_quarantine WHERE first OR NOT (false))
