-- Transactions and their revenue by day of the event, segment and bucket. segment is NULL for customers whom no file has brought,
-- revenue for the bucket 'unknown', whose transactions have no amount.
SELECT
  event_date,
  segment,
  bucket,
  count(*) AS tx_count,
  sum(amount) AS revenue
FROM silver.transactions
GROUP BY event_date, segment, bucket
ORDER BY event_date, segment, bucket
