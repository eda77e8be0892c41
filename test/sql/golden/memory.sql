CREATE TABLE __memory AS SELECT row_hash, business_key, status FROM ops.quarantine
WHERE source = 'o''source' AND status IN ('quarantined', 'condemned') AND NOT list_contains(['o''a.csv'], source_file)
