SELECT source_file, line, codes, raw FROM __quarantine ORDER BY ALL
