CREATE TABLE ops.files AS SELECT 'k' AS key, 'e' AS etag, 1 AS size
