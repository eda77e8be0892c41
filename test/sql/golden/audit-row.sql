WITH offending AS MATERIALIZED (SELECT * FROM this WHERE NOT COALESCE((id < 2), true))
SELECT (SELECT count(*) FROM offending) AS broken,
  (SELECT string_agg(CAST(example AS VARCHAR), ', ') FROM (SELECT offending AS example FROM offending LIMIT 3)) AS examples
