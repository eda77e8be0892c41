WITH revenue_by_customer AS (
  SELECT region, customer_id, coalesce(sum(total_amount), 0) AS revenue
  FROM silver.sales
  GROUP BY region, customer_id
),
ranked AS (
  SELECT *, dense_rank() OVER (PARTITION BY region ORDER BY revenue DESC) AS rank FROM revenue_by_customer
)
SELECT ranked.region, ranked.rank, ranked.customer_id, customers.customer_name, ranked.revenue
FROM ranked
LEFT JOIN silver.customers AS customers ON customers.customer_id = ranked.customer_id AND customers.is_current
WHERE ranked.rank <= 10
