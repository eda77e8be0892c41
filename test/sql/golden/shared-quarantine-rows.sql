(SELECT * EXCLUDE (reader, reader_name, nth, n, attempts, first)
  REPLACE (CASE WHEN table_name IS NULL AND n = 2 THEN attempts ELSE attempt END AS attempt,
    CASE WHEN NOT (table_name IS NULL AND n = 2) THEN coalesce(table_name, reader_name) END AS table_name)
FROM __shared_quarantine WHERE first OR NOT (table_name IS NULL AND n = 2))
