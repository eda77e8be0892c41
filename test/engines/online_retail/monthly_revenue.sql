WITH sold_by_month AS (
  SELECT date_trunc('month', invoice_ts) AS month, sum(line_amount) AS revenue, count(*) AS lines
  FROM silver.invoice_lines
  WHERE NOT is_cancelled AND quantity > 0 AND unit_price > 0
  GROUP BY 1
),
calendar AS (
  SELECT listed.month
  FROM (SELECT min(month) AS first, max(month) AS last FROM sold_by_month) AS span
  CROSS JOIN UNNEST(sequence(span.first, span.last, INTERVAL '1' MONTH)) AS listed (month)
),
complete_months AS (
  SELECT
    calendar.month,
    coalesce(CAST(round(sold_by_month.revenue, 2) AS decimal(38,2)), 0) AS revenue,
    coalesce(sold_by_month.lines, 0) AS lines
  FROM calendar
  LEFT JOIN sold_by_month ON sold_by_month.month = calendar.month
),
compared AS (
  SELECT
    month,
    revenue,
    lines,
    CAST(sum(revenue) OVER last_three AS double) / count(*) OVER last_three AS mean_of_three,
    lag(revenue) OVER in_time AS previous_revenue
  FROM complete_months
  WINDOW
    in_time AS (ORDER BY month),
    last_three AS (ORDER BY month ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)
)
SELECT
  CAST(year(month) * 100 + month(month) AS integer) AS yyyymm,
  revenue,
  lines,
  CAST(round(CAST(mean_of_three AS decimal(38,4)), 2) AS decimal(38,2)) AS revenue_ma3,
  round(CAST(revenue - previous_revenue AS double) / CAST(nullif(previous_revenue, 0) AS double) * 100, 2) AS mom_growth_pct
FROM compared
