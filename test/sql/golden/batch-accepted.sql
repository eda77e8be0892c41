SELECT count(*) AS accepted, (SELECT count(*) FROM __duplicates) AS duplicates FROM __parsed p ANTI JOIN __duplicates d ON p.rowid = d.rid WHERE p.__ok
