SELECT
  yyyymm,
  region,
  category,
  coalesce(sum(total_amount), 0) AS revenue,
  CAST(sum(quantity) AS bigint) AS units
FROM silver.sales
GROUP BY yyyymm, region, category
