WITH offending AS MATERIALIZED (SELECT "id", count(*) AS rows FROM this GROUP BY "id" HAVING count(*) > 1)
SELECT (SELECT count(*) FROM offending) AS broken,
  (SELECT string_agg(CAST(example AS VARCHAR), ', ') FROM (SELECT offending AS example FROM offending LIMIT 3)) AS examples
