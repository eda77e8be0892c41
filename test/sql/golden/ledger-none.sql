SELECT 1 AS found FROM ops.files WHERE starts_with(key, 'p/t/') LIMIT 1
