SELECT count(*) AS accepted, (SELECT count(*) FROM __duplicates) AS duplicates, 0 AS rejected, 0 AS passing
FROM __parsed p ANTI JOIN __duplicates d ON p.rowid = d.rid WHERE p.__ok
