SELECT key, etag FROM ops.files
