-- How each region does: orders, customers who ordered, units, revenue, and the mean value of an order whose product
-- has a price (rounded to cents). Region is null for sales whose customer is not known.
WITH sales_by_region AS (
  SELECT
    region,
    count(*) AS orders,
    count(total_amount) AS priced_orders,
    count(DISTINCT customer_id) AS customers,
    CAST(sum(quantity) AS BIGINT) AS units,
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
  round(CAST(revenue / nullif(priced_orders, 0) AS DECIMAL(38,4)), 2) AS avg_order_value
FROM sales_by_region
ORDER BY region
