SELECT
  customer_id AS customer,
  CAST(date_trunc('month', event_date) AS date) AS month,
  currency,
  count(*) AS count,
  coalesce(sum(amount) FILTER (WHERE amount > 0), 0) AS credit,
  coalesce(-sum(amount) FILTER (WHERE amount < 0), 0) AS debit
FROM silver.transactions
GROUP BY 1, 2, 3
