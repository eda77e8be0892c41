INSERT INTO unsettled
WITH readers AS (SELECT *, count(*) OVER (PARTITION BY source) AS tables FROM (VALUES ('s', 'a'), ('s', 'b'), ('t', 'c')) t(source, table_name)),
told AS (SELECT key, etag, table_name, status FROM ops.files WHERE true),
asked_about AS (SELECT DISTINCT key, etag FROM told WHERE status IN ('suspended')),
known_to_all AS (SELECT key, etag FROM told ANTI JOIN asked_about USING (key, etag) WHERE table_name IS NULL),
known_to_each AS (
  SELECT source, key, etag FROM (SELECT DISTINCT key, etag, table_name FROM told WHERE table_name IS NOT NULL)
  ANTI JOIN asked_about USING (key, etag) JOIN readers USING (table_name) GROUP BY source, key, etag, tables HAVING count(*) = tables
)
SELECT l.n, l.source, l.key, l.size, l.etag, l.former, l.version FROM (SELECT * FROM read_json('in/listed.json', format = 'newline_delimited', maximum_object_size = 1048576, columns = {n: 'BIGINT', source: 'VARCHAR', key: 'VARCHAR', size: 'BIGINT', etag: 'VARCHAR', former: 'VARCHAR', version: 'VARCHAR'}) WHERE true) l
ANTI JOIN known_to_all USING (key, etag) ANTI JOIN known_to_each USING (source, key, etag)
WHERE l.source IN (SELECT source FROM readers)
