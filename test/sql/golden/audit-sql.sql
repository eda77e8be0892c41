WITH offending AS MATERIALIZED (SELECT id FROM this WHERE id > 5)
SELECT (SELECT count(*) FROM offending) AS broken,
  (SELECT string_agg(CAST(example AS VARCHAR), ', ') FROM (SELECT offending AS example FROM offending LIMIT 3)) AS examples
