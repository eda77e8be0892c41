WITH sold_by_country AS (
  SELECT country, sum(line_amount) AS exact_revenue, count(*) AS lines
  FROM silver.invoice_lines
  WHERE NOT is_cancelled AND quantity > 0 AND unit_price > 0
  GROUP BY country
),
compared AS (
  SELECT country, exact_revenue, lines, sum(exact_revenue) OVER () AS total_revenue
  FROM sold_by_country
)
SELECT
  country,
  -- It keeps the digits of what it rounds.
  CAST(round(exact_revenue, 2) AS decimal(38,2)) AS revenue,
  lines,
  round(CAST(exact_revenue AS double) / CAST(total_revenue AS double) * 100, 2) AS share_pct
FROM compared
