SELECT * FROM "p_ops"."quarantine" WHERE true
ORDER BY quarantined_at DESC, source, source_file, line, row_hash LIMIT 20