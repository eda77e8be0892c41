CREATE TABLE ops.files AS SELECT 's' AS source, 'p/s/' || name AS key, 'e' AS etag, 1 AS size, status,
CAST(NULL AS VARCHAR) AS code, CAST(NULL AS VARCHAR) AS reason, 'r' || day AS run_id, DATE '2026-01-01' + CAST(day AS INTEGER) AS ingested_at, table_name
FROM (VALUES ('all, ingested', 'ingested', 1, NULL), ('all, rejected', 'rejected', 1, NULL), ('all, then a suspended', 'ingested', 1, NULL),
  ('all, then a suspended', 'suspended', 2, 'a'), ('each of a and b', 'ingested', 1, 'a'), ('each of a and b', 'ingested', 2, 'b'),
  ('each of a and b', 'ingested', 3, 'b'), ('of a alone', 'ingested', 1, 'a'), ('of a alone', 'ingested', 1, 'c'), ('other content', 'ingested', 1, NULL),
  ('below/folder', 'ingested', 9, NULL), ('gone', 'suspended', 4, NULL), ('gone', 'ingested', 4, NULL)) t(name, status, day, table_name)
