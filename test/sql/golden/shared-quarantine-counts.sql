SELECT count(*) FILTER (status = 'quarantined') AS quarantined, count(*) FILTER (status <> 'quarantined') AS condemned
FROM (
  SELECT source_file, line, row_hash, nth, max(status) AS status FROM __shared_quarantine WHERE table_name IS NULL GROUP BY ALL
)
