SELECT source, key, size, etag, former, version FROM unsettled WHERE rowid >= 0 AND rowid < 100 ORDER BY rowid
