SELECT * FROM read_json('in/ops.json', format = 'array', columns = {'key': 'VARCHAR', 'etag': 'VARCHAR', 'at': 'VARCHAR'}, maximum_object_size = 1048576)
