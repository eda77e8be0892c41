CREATE TABLE ops.files AS SELECT 'k' AS key, 'e' AS etag, 1 AS size, 's' AS source, 'ingested' AS status, '' AS code, '' AS reason, 'r' AS run_id,
TIMESTAMPTZ '2026-01-01 00:00:00Z' AS ingested_at, NULL::VARCHAR AS table_name
