CREATE VIEW __exchanged AS SELECT * FROM read_parquet(['in/exchange/*/*.parquet'], hive_partitioning = false)
