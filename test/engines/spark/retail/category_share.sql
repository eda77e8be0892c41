WITH revenue_by_category AS (
  SELECT category, sum(revenue) AS revenue FROM gold.monthly_revenue GROUP BY category
)
SELECT
  category,
  CAST(revenue AS decimal(38,2)) AS revenue,
  round(CAST(revenue AS double) / CAST(nullif(sum(revenue) OVER (), 0) AS double) * 100, 2) AS share_pct
FROM revenue_by_category
