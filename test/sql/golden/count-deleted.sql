SELECT count(*) AS rows FROM (SELECT DISTINCT number, pos FROM (SELECT f.number, d.pos
  FROM (SELECT file_path, pos, [5][CAST(file_index AS BIGINT) + 1] AS age FROM read_parquet(['in/deletes.parquet'], hive_partitioning = false, union_by_name = true)) d
  JOIN (VALUES ('a/x', 0, 4), ('b/x', 0, 4), ('a/x', 1, 4), ('b/x', 1, 4)) f(name, number, since) ON d.file_path = f.name AND d.age >= f.since))
