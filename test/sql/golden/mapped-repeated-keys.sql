SELECT "country", count(*) AS rows FROM __mapped GROUP BY "country" HAVING count(*) > 1 ORDER BY rows DESC, "country" LIMIT 5
