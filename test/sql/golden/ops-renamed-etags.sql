SELECT * FROM (SELECT f.* REPLACE (coalesce(r.after, f.etag) AS etag)
FROM ops.files f LEFT JOIN read_json('in/etags.json', format = 'array', columns = {key: 'VARCHAR', before: 'VARCHAR', after: 'VARCHAR'}) r ON f.key = r.key AND f.etag = r.before)
