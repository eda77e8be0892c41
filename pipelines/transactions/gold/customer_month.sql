-- What each customer received and paid by calendar month (UTC) and currency; month is the first day of it. credit is the sum of
-- the amounts above 0, debit the sum of those below 0 without its sign, so credit - debit is the month's net amount in
-- that currency.
SELECT
  customer_id AS customer,
  CAST(date_trunc('month', event_date) AS DATE) AS month,
  currency,
  count(*) AS count,
  coalesce(sum(amount) FILTER (amount > 0), 0) AS credit,
  coalesce(-sum(amount) FILTER (amount < 0), 0) AS debit
FROM silver.transactions
GROUP BY ALL
ORDER BY customer, month, currency
