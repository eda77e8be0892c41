WITH revenue_by_category AS (
  SELECT category, sum(revenue) AS revenue FROM gold.monthly_revenue GROUP BY category
),
compared AS (
  SELECT category, revenue, sum(revenue) OVER () AS total_revenue FROM revenue_by_category
)
SELECT
  category,
  revenue,
  round(CAST(revenue AS double) / CAST(nullif(total_revenue, 0) AS double) * 100, 2) AS share_pct
FROM compared
