SELECT DISTINCT key FROM ops.files WHERE status = 'suspended' ORDER BY key
