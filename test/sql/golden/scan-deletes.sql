COPY (SELECT 'a/x' AS file_path, 0 AS pos UNION ALL SELECT 'a/y', 1) TO 'out/deletes.parquet'
