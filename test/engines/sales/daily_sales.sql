SELECT event_date, segment, bucket, count(*) AS tx_count, sum(amount) AS revenue
FROM silver.transactions
GROUP BY event_date, segment, bucket
