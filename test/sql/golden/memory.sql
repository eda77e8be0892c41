CREATE TABLE __memory AS SELECT row_hash, business_key, status, bool_and(table_name IS NOT NULL) AS own FROM ops.quarantine
WHERE source = 'o''source' AND status IN ('quarantined', 'condemned') AND (table_name IS NULL OR table_name = 'o''table') AND NOT list_contains(['o''a.csv'], source_file)
GROUP BY row_hash, business_key, status, source_file, line
