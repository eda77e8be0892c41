WITH revenue_by_month AS (
  SELECT make_date(yyyymm div 100, yyyymm % 100, 1) AS month, sum(revenue) AS revenue
  FROM gold.monthly_revenue
  GROUP BY yyyymm
),
calendar AS (
  SELECT explode(sequence(min(month), max(month), INTERVAL 1 MONTH)) AS month FROM revenue_by_month
),
complete_months AS (
  SELECT calendar.month, coalesce(revenue_by_month.revenue, 0) AS revenue
  FROM calendar
  LEFT JOIN revenue_by_month ON revenue_by_month.month = calendar.month
),
compared AS (
  SELECT
    month,
    revenue,
    CAST(sum(revenue) OVER last_three AS double) / count(*) OVER last_three AS mean_of_three,
    lag(revenue) OVER in_time AS previous_revenue
  FROM complete_months
  WINDOW
    in_time AS (ORDER BY month),
    last_three AS (ORDER BY month ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)
)
SELECT
  CAST(year(month) * 100 + month(month) AS int) AS yyyymm,
  CAST(revenue AS decimal(38,2)) AS revenue,
  CAST(round(CAST(mean_of_three AS decimal(38,4)), 2) AS decimal(38,2)) AS revenue_ma3,
  round(CAST(revenue - previous_revenue AS double) / CAST(nullif(previous_revenue, 0) AS double) * 100, 2) AS mom_growth_pct
FROM compared
