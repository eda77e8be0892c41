SELECT
  yyyymm,
  region,
  category,
  coalesce(sum(total_amount), 0) AS revenue,
  sum(quantity) AS units
FROM silver.sales
GROUP BY ALL
