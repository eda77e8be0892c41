-- Which part of all revenue each category brings. share_pct: percent of the total, DOUBLE rounded to 2 decimals, so
-- the shares may miss 100 by a few hundredths; null while there is no revenue at all.
WITH revenue_by_category AS (
  SELECT category, sum(revenue) AS revenue
  FROM gold.monthly_revenue
  GROUP BY category
),
compared AS (
  SELECT category, revenue, sum(revenue) OVER () AS total_revenue
  FROM revenue_by_category
)
SELECT category, revenue, round(revenue / nullif(total_revenue, 0) * 100, 2) AS share_pct
FROM compared
ORDER BY revenue DESC, category
