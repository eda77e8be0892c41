SELECT name, field_id, count(*) AS files, count(DISTINCT row(type, converted_type, logical_type, scale, precision)) AS types
FROM parquet_schema(['o''1.parquet']) WHERE coalesce(num_children, 0) = 0 GROUP BY ALL
