-- Which part of all revenue each country brings. share_pct: percent of the total, DOUBLE rounded to 2 decimals, so the
-- shares may miss 100 by a few hundredths.
WITH sold_lines AS (
  SELECT country, line_amount
  FROM silver.invoice_lines
  WHERE NOT is_cancelled AND quantity > 0 AND unit_price > 0
),
sold_by_country AS (
  SELECT country, sum(line_amount) AS exact_revenue, count(*) AS lines
  FROM sold_lines
  GROUP BY country
),
compared AS (
  SELECT country, exact_revenue, lines, sum(exact_revenue) OVER () AS total_revenue
  FROM sold_by_country
)
SELECT
  country,
  round(exact_revenue, 2) AS revenue,
  lines,
  round(exact_revenue / total_revenue * 100, 2) AS share_pct
FROM compared
ORDER BY exact_revenue DESC, country
