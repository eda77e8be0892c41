(SELECT q.* REPLACE (CASE WHEN (status <> 'released' AND list_contains(['o''f'], source_file)
  AND (list_contains(['o''a'], table_name) OR (table_name IS NULL AND list_contains(['o''s'], source)))) OR coalesce(t.withdrawn, false) THEN 'released' ELSE status END AS status, coalesce(table_name, t.for_table) AS table_name)
FROM t q LEFT JOIN (SELECT NULL::VARCHAR AS for_source, NULL::VARCHAR AS for_table, false AS withdrawn WHERE false) t(for_source, for_table, withdrawn)
  ON table_name IS NULL AND source = t.for_source AND status <> 'released' AND list_contains(['o''f'], source_file))
