SELECT DISTINCT function_name AS name, function_type = 'aggregate' AS aggregate
FROM duckdb_functions()
WHERE function_type = 'aggregate' OR stability IN ('VOLATILE', 'CONSISTENT_WITHIN_QUERY')
