-- How revenue moves from month to month, over every calendar month from the first sale to the last; a month without
-- sales counts as 0. revenue_ma3: mean of this and the two calendar months before it (fewer at the start), in cents.
-- mom_growth_pct: change against the calendar month before, DOUBLE rounded to 2 decimals; null for the first month and
-- after a month without revenue.
WITH revenue_by_month AS (
  SELECT make_date(yyyymm // 100, yyyymm % 100, 1) AS month, sum(revenue) AS revenue
  FROM gold.monthly_revenue
  GROUP BY yyyymm
),
calendar AS (
  SELECT CAST(unnest(generate_series(min(month), max(month), INTERVAL 1 MONTH)) AS DATE) AS month
  FROM revenue_by_month
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
    sum(revenue) OVER last_three / count(*) OVER last_three AS mean_of_three,
    lag(revenue) OVER in_time AS previous_revenue
  FROM complete_months
  WINDOW
    in_time AS (ORDER BY month),
    last_three AS (ORDER BY month ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)
)
SELECT
  CAST(year(month) * 100 + month(month) AS INTEGER) AS yyyymm,
  revenue,
  -- Division gives a DOUBLE. Four decimals hold half a cent exactly, so that rounding to cents is exact as well.
  round(CAST(mean_of_three AS DECIMAL(38,4)), 2) AS revenue_ma3,
  round((revenue - previous_revenue) / nullif(previous_revenue, 0) * 100, 2) AS mom_growth_pct
FROM compared
ORDER BY yyyymm
