SELECT CAST("ID" AS BIGINT) AS "i""d", CAST('it''s' AS VARCHAR) AS "p", CAST(NULL AS DATE) AS "gone", CAST(list_transform("L", lambda __e: list_transform(__e, lambda __e: CASE WHEN __e IS NULL THEN NULL ELSE struct_pack("k" := struct_extract(__e, 'K.1')) END)) AS STRUCT("k" VARCHAR)[][]) AS "l" FROM read_parquet(['a.parquet', 'b.parquet'], hive_partitioning = false, union_by_name = true)

SELECT CAST("ID" AS BIGINT) AS "i""d", CAST("p" AS VARCHAR) AS "p", CAST(NULL AS DATE) AS "gone", CAST(list_transform("L", lambda __e: list_transform(__e, lambda __e: CASE WHEN __e IS NULL THEN NULL ELSE struct_pack("k" := struct_extract(__e, 'K.1')) END)) AS STRUCT("k" VARCHAR)[][]) AS "l" FROM read_parquet(['c.parquet'], hive_partitioning = false, union_by_name = true)

SELECT file_name AS path, name, coalesce(num_children, 0) AS children, repetition_type = 'REPEATED' AS repeated,
  coalesce(converted_type = 'LIST', false) OR coalesce(logical_type LIKE 'ListType%', false) AS list, field_id
FROM parquet_schema(['a.parquet'])