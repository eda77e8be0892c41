CREATE VIEW __exchanged AS SELECT * FROM read_parquet(['in/exchange/*/*.parquet'], hive_partitioning = false, union_by_name = true)
UNION ALL BY NAME SELECT CAST(NULL AS VARCHAR) AS "__bronze_file" WHERE false
