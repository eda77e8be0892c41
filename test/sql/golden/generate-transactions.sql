COPY (
WITH drawn AS (
  SELECT i AS txn_id,
    md5_number_lower('42/transactions.when/' || i) % 233280 AS wait_seconds,
    md5_number_lower('42/transactions.who/' || i) AS who,
    md5_number_lower('42/transactions.what/' || i) AS what
  FROM range(11, 21) AS ids(i)
),
parts AS (
  SELECT txn_id, wait_seconds, who,
    what % 7 AS product_part,
    what // 7 % 5 AS quantity_part,
    what // 35 % 3 AS channel_part,
    what // 105 % 2000 AS unmatched_part
  FROM drawn
)
SELECT txn_id,
  TIMESTAMP '2025-01-01 00:00:00'
    + to_seconds((txn_id - 1) * 23328000 // 100 + CAST(wait_seconds AS BIGINT)) AS txn_ts,
  CASE WHEN unmatched_part = 0 THEN 10 + who % 10
    WHEN who % 1000000 < 250000 THEN 1
    ELSE 2 + who // 1000000 % 8 END AS customer_id,
  CASE WHEN unmatched_part = 1 THEN 8 + who % 10 ELSE 1 + product_part END AS product_id,
  1 + quantity_part AS quantity,
  list_extract(['app', 'store', 'web'], CAST(1 + channel_part AS BIGINT)) AS channel
FROM parts
ORDER BY txn_id
) TO 'out/transactions.csv' (FORMAT csv, HEADER true)
