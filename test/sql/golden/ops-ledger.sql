SELECT key, etag, size FROM ops.files ORDER BY ingested_at
