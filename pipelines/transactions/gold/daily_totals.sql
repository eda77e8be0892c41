-- Transactions and the exact sum of their amounts, by day (UTC) and currency. Amounts of different currencies are never
-- added. A day without transactions has no row.
SELECT
  event_date,
  currency,
  count(*) AS transactions,
  sum(amount) AS total_amount
FROM silver.transactions
GROUP BY event_date, currency
ORDER BY event_date, currency
