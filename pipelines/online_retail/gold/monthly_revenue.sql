-- Revenue and sold lines per calendar month from the first sale to the last; a month without sales counts as 0.
-- Sold: not cancelled, with a quantity and a price above 0. Revenue is summed exactly, then rounded to cents.
-- revenue_ma3: mean of this and the two calendar months before it (fewer at the start). mom_growth_pct: change against
-- the calendar month before, DOUBLE rounded to 2 decimals; null for the first month and after a month without revenue.
WITH sold_lines AS (
  SELECT date_trunc('month', invoice_ts) AS month, line_amount
  FROM silver.invoice_lines
  WHERE NOT is_cancelled AND quantity > 0 AND unit_price > 0
),
sold_by_month AS (
  SELECT month, sum(line_amount) AS revenue, count(*) AS lines
  FROM sold_lines
  GROUP BY month
),
calendar AS (
  SELECT unnest(generate_series(min(month), max(month), INTERVAL 1 MONTH)) AS month
  FROM sold_by_month
),
complete_months AS (
  SELECT
    calendar.month,
    coalesce(round(sold_by_month.revenue, 2), 0) AS revenue,
    coalesce(sold_by_month.lines, 0) AS lines
  FROM calendar
  LEFT JOIN sold_by_month ON sold_by_month.month = calendar.month
),
compared AS (
  SELECT
    month,
    revenue,
    lines,
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
  lines,
  -- Division gives a DOUBLE. Four decimals hold half a cent exactly, so that rounding to cents is exact as well.
  round(CAST(mean_of_three AS DECIMAL(38,4)), 2) AS revenue_ma3,
  round((revenue - previous_revenue) / nullif(previous_revenue, 0) * 100, 2) AS mom_growth_pct
FROM compared
ORDER BY yyyymm
