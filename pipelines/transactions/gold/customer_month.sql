-- What each customer received and paid by calendar month (UTC); month is the first day of it. credit is the sum of the
-- amounts above 0, debit the sum of those below 0 without its sign, so credit - debit is the month's net amount. Both are
-- in the units of the feed: a customer who pays in two currencies has them added as they stand.
SELECT
  customer_id AS customer,
  CAST(date_trunc('month', event_date) AS DATE) AS month,
  count(*) AS count,
  coalesce(sum(amount) FILTER (amount > 0), 0) AS credit,
  coalesce(-sum(amount) FILTER (amount < 0), 0) AS debit
FROM silver.transactions
GROUP BY ALL
ORDER BY customer, month
