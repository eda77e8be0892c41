SELECT DISTINCT unnest(json_keys(json)) AS name
FROM read_json_objects(['in/a.jsonl'], format = 'newline_delimited', compression = 'uncompressed', hive_partitioning = false, filename = '__file', ignore_errors = true, maximum_object_size = 134217728)
WHERE json_type(json) = 'OBJECT'
ORDER BY name
