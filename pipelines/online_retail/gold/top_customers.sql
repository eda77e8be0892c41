-- The customers with the ten highest revenues of each country; equal revenues share a rank. Sold lines without a
-- customer id are one line 'unknown' per country, always listed, with a rank of null since no one customer made them.
WITH sold_lines AS (
  SELECT country, customer_id, line_amount
  FROM silver.invoice_lines
  WHERE NOT is_cancelled AND quantity > 0 AND unit_price > 0
),
revenue_by_customer AS (
  SELECT
    country,
    customer_id,
    round(sum(line_amount), 2) AS revenue,
    count(*) AS lines
  FROM sold_lines
  GROUP BY country, customer_id
),
ranked AS (
  SELECT
    *,
    CASE
      WHEN customer_id IS NOT NULL THEN
        dense_rank() OVER (PARTITION BY country, customer_id IS NULL ORDER BY revenue DESC)
    END AS rank
  FROM revenue_by_customer
)
SELECT
  country,
  CAST(rank AS INTEGER) AS rank,
  coalesce(CAST(customer_id AS VARCHAR), 'unknown') AS customer,
  revenue,
  lines
FROM ranked
WHERE rank <= 10 OR customer_id IS NULL
ORDER BY country, rank NULLS LAST, customer_id
