WITH offending AS MATERIALIZED (SELECT rows FROM (SELECT count(*) AS rows FROM this) WHERE rows < 4 OR rows > 9)
SELECT (SELECT count(*) FROM offending) AS broken,
  (SELECT string_agg(CAST(example AS VARCHAR), ', ') FROM (SELECT offending AS example FROM offending LIMIT 3)) AS examples
