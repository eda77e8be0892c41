(SELECT CAST("o""x" AS DATE) AS "o""x" FROM read_parquet(['o''1.parquet'], hive_partitioning = false))
