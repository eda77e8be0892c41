WITH sales_by_region AS (
  SELECT
    region,
    count(*) AS orders,
    count(total_amount) AS priced_orders,
    count(DISTINCT customer_id) AS customers,
    sum(quantity) AS units,
    coalesce(sum(total_amount), 0) AS revenue
  FROM silver.sales
  GROUP BY region
)
SELECT
  region,
  orders,
  customers,
  units,
  revenue,
  -- A quotient of decimals has other digits here: the division is one of doubles, as in DuckDB.
  CAST(round(CAST(CAST(revenue AS double) / nullif(priced_orders, 0) AS decimal(38,4)), 2) AS decimal(38,2)) AS avg_order_value
FROM sales_by_region
