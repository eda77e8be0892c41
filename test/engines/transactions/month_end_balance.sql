WITH last_of_month AS (
  SELECT
    account_id AS acct,
    CAST(date_trunc('month', tx_date) AS date) AS month,
    max_by(new_balance, ROW(tx_date, id)) AS closing_balance
  FROM silver.ledger
  GROUP BY 1, 2
),
calendar AS (
  SELECT listed.month
  FROM (SELECT min(month) AS first, max(month) AS last FROM last_of_month) AS span
  CROSS JOIN UNNEST(sequence(span.first, span.last, INTERVAL '1' MONTH)) AS listed (month)
),
every_month AS (
  SELECT accounts.acct, calendar.month
  FROM (SELECT DISTINCT acct FROM last_of_month) AS accounts
  CROSS JOIN calendar
)
SELECT
  every_month.acct,
  every_month.month,
  last_value(last_of_month.closing_balance) IGNORE NULLS OVER (
    PARTITION BY every_month.acct ORDER BY every_month.month
  ) AS balance
FROM every_month
LEFT JOIN last_of_month ON last_of_month.acct = every_month.acct AND last_of_month.month = every_month.month
