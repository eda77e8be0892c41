-- A mode of the benchmark that is wrong: NULL is in no comparison, and so ends up in ELSE.
SELECT
  event_date,
  segment,
  CASE WHEN amount < 20 THEN 'low' WHEN amount < 100 THEN 'mid' ELSE 'high' END AS bucket,
  count(*) AS tx_count,
  sum(amount) AS revenue
FROM silver.transactions
GROUP BY ALL
