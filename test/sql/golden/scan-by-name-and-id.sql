SELECT * FROM (SELECT * FROM read_parquet(['in/plain/*.parquet'], hive_partitioning = false, schema = MAP {1: {'name': 'n"1', 'type': 'BIGINT', 'default_value': NULL}, 2: {'name': 'n"2', 'type': 'VARCHAR', 'default_value': NULL}, 3: {'name': 'n"3', 'type': 'INTEGER[]', 'default_value': NULL}})
UNION ALL
SELECT * FROM (SELECT CAST("id" AS BIGINT) AS "n""1", CAST("na""me" AS VARCHAR) AS "n""2", CAST("tags" AS INTEGER[]) AS "n""3" FROM read_parquet(['in/plain/*.parquet'], hive_partitioning = false)))
