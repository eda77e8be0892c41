SELECT
  CAST(date_trunc('month', orders.ordered_at) AS DATE) AS order_month,
  coalesce(customers.country, 'unknown') AS country,
  sum(orders.amount) AS revenue,
  count(*) AS orders
FROM silver.orders AS orders
LEFT JOIN silver.customers AS customers ON customers.customer_id = orders.customer_id
GROUP BY ALL
ORDER BY ALL
