CREATE TABLE ops.files AS SELECT 'k' AS key, 'e' AS etag, 1 AS size, TIMESTAMPTZ '2026-01-01 00:00:00Z' AS ingested_at
