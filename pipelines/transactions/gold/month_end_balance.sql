-- The balance of each account at the end of each calendar month; month is the first day of it, from the first month of
-- the ledger to the last. It is the new_balance of the month's last movement, by date and then by id. A month without
-- one carries the last known balance forward; before an account's first movement the balance is null.
WITH parameters AS (
  -- false leaves months without a movement null.
  SELECT true AS carry_forward
),
last_of_month AS (
  SELECT
    account_id AS acct,
    CAST(date_trunc('month', tx_date) AS DATE) AS month,
    max_by(new_balance, (tx_date, id)) AS closing_balance
  FROM silver.ledger
  GROUP BY ALL
),
calendar AS (
  SELECT CAST(unnest(generate_series(min(month), max(month), INTERVAL 1 MONTH)) AS DATE) AS month
  FROM last_of_month
),
every_month AS (
  SELECT accounts.acct, calendar.month
  FROM (SELECT DISTINCT acct FROM last_of_month) AS accounts
  CROSS JOIN calendar
),
carried AS (
  SELECT
    every_month.acct,
    every_month.month,
    last_of_month.closing_balance,
    last_value(last_of_month.closing_balance IGNORE NULLS) OVER (
      PARTITION BY every_month.acct ORDER BY every_month.month
    ) AS known_balance
  FROM every_month
  LEFT JOIN last_of_month USING (acct, month)
)
SELECT
  carried.acct,
  carried.month,
  CASE WHEN parameters.carry_forward THEN carried.known_balance ELSE carried.closing_balance END AS balance
FROM carried
CROSS JOIN parameters
ORDER BY acct, month
