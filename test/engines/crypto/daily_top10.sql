WITH numbered AS (
  SELECT *, row_number() OVER (PARTITION BY id, partition_date ORDER BY last_updated DESC) AS no
  FROM silver.markets
),
ranked AS (
  SELECT *, row_number() OVER (PARTITION BY partition_date ORDER BY total_volume DESC NULLS LAST, id) AS place
  FROM numbered
  WHERE no = 1
)
SELECT
  partition_date,
  CAST(count(*) AS integer) AS coins,
  sum(market_cap) AS total_market_cap,
  -- A quotient of whole numbers is cut, and prices are not negative.
  CAST(CAST(
    (2 * sum(CAST(current_price * 100000000 AS bigint)) + count(current_price)) / nullif(2 * count(current_price), 0) AS decimal(18,0)
  ) * DECIMAL '0.00000001' AS decimal(18,8)) AS avg_price
FROM ranked
WHERE place <= 10
GROUP BY partition_date
