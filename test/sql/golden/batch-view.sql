CREATE VIEW "batch"."orders" AS SELECT p."id", p."amount", p."country", {'rid': p.rowid, 'hash': p.__hash} AS __rid FROM __parsed p ANTI JOIN __duplicates d ON p.rowid = d.rid WHERE p.__ok
