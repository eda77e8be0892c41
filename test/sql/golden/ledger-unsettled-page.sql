SELECT source, key, size, etag, former, version FROM unsettled WHERE rowid >= 1 AND rowid < 3 ORDER BY rowid
