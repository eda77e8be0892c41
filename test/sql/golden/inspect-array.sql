SELECT count(*) AS elements FROM read_json_objects(['in/a.json'], format = 'array', compression = 'uncompressed', hive_partitioning = false, filename = '__file', maximum_object_size = 134217728)
