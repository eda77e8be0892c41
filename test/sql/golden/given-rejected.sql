SELECT source, source_file, line, codes, details, raw, status, attempt, business_key FROM ops.quarantine WHERE run_id = 'r1' ORDER BY source_file, line
