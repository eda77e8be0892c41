CREATE OR REPLACE TABLE ops.files AS SELECT 's' AS source, key, 'e' AS etag, 1 AS size, status, 0 AS records,
CAST(NULL AS VARCHAR) AS code, CAST(NULL AS VARCHAR) AS reason, 'r' || day AS run_id, DATE '2026-01-01' + CAST(day AS INTEGER) AS ingested_at, table_name, CAST(NULL AS VARCHAR) AS place
FROM (VALUES ('fine', 'ingested', 1, NULL), ('later', 'suspended', 1, NULL), ('later', 'ingested', 2, NULL), ('never', 'rejected', 1, NULL),
  ('never', 'suspended', 2, NULL), ('at once', 'suspended', 1, NULL), ('at once', 'ingested', 1, NULL), ('fine', 'suspended', 3, 'a'),
  ('later', 'suspended', 1, 'b'), ('other', 'ingested', 3, 'b')) t(key, status, day, table_name)
