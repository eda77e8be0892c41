-- One row per transaction, with the day of it in UTC. The feed reuses a number on another day, so the two are the key.
SELECT
  transaction_id,
  customer_id,
  amount,
  currency,
  transaction_ts,
  CAST(transaction_ts AT TIME ZONE 'UTC' AS DATE) AS event_date
FROM batch.transactions
