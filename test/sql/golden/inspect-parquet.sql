SELECT * FROM read_parquet(['in/a.parquet'], hive_partitioning = false, union_by_name = false)
