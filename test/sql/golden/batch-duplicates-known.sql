CREATE TABLE __duplicates AS
WITH firsts AS (SELECT __hash AS hash, min(rowid) AS first FROM __parsed GROUP BY ALL HAVING count(*) > 1)
SELECT p.rowid AS rid FROM __parsed p JOIN firsts f ON p.__hash = f.hash WHERE p.rowid > f.first
UNION
SELECT rowid FROM __parsed WHERE __hash IN (SELECT 'no such hash')
