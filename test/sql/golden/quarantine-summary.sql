SELECT source, code, status, count(*) AS rows
FROM (SELECT source, unnest(codes) AS code, status FROM "p_ops"."quarantine" WHERE source = 'o''source' AND run_id = 'r1' AND list_contains(codes, 'NULL_KEY') AND status = 'condemned' AND list_contains(['f'], source_file) AND list_contains(['h1'], row_hash))
GROUP BY ALL ORDER BY rows DESC, source, code, status