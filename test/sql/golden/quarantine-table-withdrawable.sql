SELECT count(*) AS rows FROM t WHERE coalesce((status <> 'released' AND list_contains(['o''f'], source_file)
  AND (list_contains(['o''a'], table_name) OR (table_name IS NULL AND list_contains(['o''s'], source)))), false)
  OR (table_name IS NULL AND status <> 'released' AND list_contains(['o''f'], source_file) AND list_contains(['p'], source))
