CREATE OR REPLACE TABLE ops.files AS SELECT 's' AS source, key, 'e' AS etag, 1 AS size, status, 0 AS records,
CAST(NULL AS VARCHAR) AS code, CAST(NULL AS VARCHAR) AS reason, 'r' || day AS run_id, DATE '2026-01-01' + CAST(day AS INTEGER) AS ingested_at
FROM (VALUES ('fine', 'ingested', 1), ('later', 'suspended', 1), ('later', 'ingested', 2), ('never', 'rejected', 1),
  ('never', 'suspended', 2), ('at once', 'suspended', 1), ('at once', 'ingested', 1)) t(key, status, day)
