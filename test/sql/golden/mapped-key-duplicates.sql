CREATE TABLE __key_duplicates AS
WITH kept AS (SELECT "country", __rid AS rid FROM __mapped ANTI JOIN __rejected d ON __rid = d.rid),
firsts AS (SELECT "country", min(rid) AS first FROM kept GROUP BY ALL HAVING count(*) > 1)
SELECT k.rid FROM kept k JOIN firsts f ON k."country" = f."country" WHERE k.rid > f.first
UNION
SELECT k.rid FROM kept k SEMI JOIN (SELECT 'DE' AS country) t ON k."country" = t."country"
