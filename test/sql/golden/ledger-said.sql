CREATE OR REPLACE TEMP TABLE said AS SELECT * FROM ops.files
WHERE key >= 'p/s/all, ingested' AND key <= 'p/s/other content' AND key IN (SELECT key FROM read_json('in/listed.json', format = 'newline_delimited', maximum_object_size = 1048576, columns = {n: 'BIGINT', source: 'VARCHAR', key: 'VARCHAR', size: 'BIGINT', etag: 'VARCHAR', former: 'VARCHAR', version: 'VARCHAR'}))
