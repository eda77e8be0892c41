SELECT (SELECT count(*) FROM __exchanged) AS staged, (SELECT count(*) FROM __merged) AS kept
