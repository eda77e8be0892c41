SELECT (SELECT count(*) FROM __mapped) AS mapped, (SELECT count(*) FROM __rejected) AS rejected, (SELECT count(*) FROM __key_duplicates) AS duplicates
