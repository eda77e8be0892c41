INSERT INTO __memory
SELECT NULL, key, 'quarantined', false FROM (SELECT key, unnest(range(rejections)) FROM read_parquet(['a.parquet', 'o''b.parquet'], hive_partitioning = false))
