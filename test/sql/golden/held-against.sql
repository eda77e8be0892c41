(SELECT * FROM ops.quarantine WHERE (table_name IS NULL OR table_name = 'o''table') AND NOT list_contains(['o''a.csv'], source_file))
