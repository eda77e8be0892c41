WITH revenue_by_customer AS (
  SELECT
    country,
    customer_id,
    CAST(round(sum(line_amount), 2) AS decimal(38,2)) AS revenue,
    count(*) AS lines
  FROM silver.invoice_lines
  WHERE NOT is_cancelled AND quantity > 0 AND unit_price > 0
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
  CAST(rank AS integer) AS rank,
  coalesce(CAST(customer_id AS varchar), 'unknown') AS customer,
  revenue,
  lines
FROM ranked
WHERE rank <= 10 OR customer_id IS NULL
