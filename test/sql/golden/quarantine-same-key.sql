SELECT q.* FROM "p_ops"."quarantine" q
SEMI JOIN (SELECT source, business_key FROM "p_ops"."quarantine" WHERE row_hash = 'ab') k
ON q.source = k.source AND q.business_key = k.business_key
WHERE q.row_hash <> 'ab' ORDER BY q.quarantined_at, q.source_file, q.line