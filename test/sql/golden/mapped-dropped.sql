SELECT (SELECT count(*) FROM __mapped) AS mapped, (SELECT count(*) FROM __drops) AS quarantined, (SELECT count(*) FROM __key_duplicates) AS duplicates
