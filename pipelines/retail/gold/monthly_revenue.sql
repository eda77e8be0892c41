-- Revenue and units sold per month, region and category. Region or category is null for sales whose customer or
-- product is not known; such a product has no price, so its sales count as units with no revenue.
WITH sales_by_group AS (
  SELECT
    yyyymm,
    region,
    category,
    coalesce(sum(total_amount), 0) AS revenue,
    CAST(sum(quantity) AS BIGINT) AS units
  FROM silver.sales
  GROUP BY yyyymm, region, category
)
SELECT yyyymm, region, category, revenue, units
FROM sales_by_group
ORDER BY yyyymm, region, category
