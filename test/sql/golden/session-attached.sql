SELECT database_name FROM duckdb_databases() WHERE NOT internal AND database_name <> 'memory'
