-- One row per transaction, with the segment that its customer has when the transaction is loaded; NULL where no file has
-- brought the customer. No salt: DuckDB joins against a table of all customers in memory, for which a customer with many
-- transactions is one like any other.
SELECT
  transactions.customer_id,
  customers.segment,
  transactions.amount,
  -- NULL is in no comparison, so that it has to be asked for first: it would end up in ELSE.
  CASE
    WHEN transactions.amount IS NULL THEN 'unknown'
    WHEN transactions.amount < 20 THEN 'low'
    WHEN transactions.amount < 100 THEN 'mid'
    ELSE 'high'
  END AS bucket,
  transactions.event_ts,
  CAST(transactions.event_ts AS DATE) AS event_date
FROM batch.transactions AS transactions
LEFT JOIN silver.customers AS customers ON customers.customer_id = transactions.customer_id
