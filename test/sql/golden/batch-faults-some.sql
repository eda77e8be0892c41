SELECT CAST(substr(sequence_name, 10) AS INTEGER) AS place, last_value AS rows FROM duckdb_sequences()
WHERE database_name = current_database() AND starts_with(sequence_name, '__faults_') AND last_value IS NOT NULL ORDER BY place
