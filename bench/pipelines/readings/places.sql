SELECT
  place,
  count(*) AS readings,
  avg(heat) AS heat,
  avg(wind) AS wind,
  max(rain) AS rain
FROM silver.readings
GROUP BY place
