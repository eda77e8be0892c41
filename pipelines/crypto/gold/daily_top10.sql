-- What the ten coins that were traded most each day were worth together. Of several snapshots of a coin and day the latest
-- counts, so that no coin takes two places, and equal volumes are ordered by id, so that there are never eleven. A price that
-- is not known is left out of the average, not taken for zero.
WITH latest AS (
  SELECT *
  FROM silver.markets
  QUALIFY row_number() OVER (PARTITION BY id, partition_date ORDER BY last_updated DESC) = 1
),
ranked AS (
  SELECT
    *,
    row_number() OVER (PARTITION BY partition_date ORDER BY total_volume DESC NULLS LAST, id) AS place
  FROM latest
)
SELECT
  partition_date,
  CAST(count(*) AS INTEGER) AS coins,
  sum(market_cap) AS total_market_cap,
  -- in whole steps of the last digit, rounded half up: floats have fewer digits
  CAST(CAST(
    (2 * sum(CAST(CAST(current_price AS DECIMAL(27,8)) * 100000000 AS BIGINT)) + count(current_price)) // nullif(2 * count(current_price), 0) AS DECIMAL(18,0)
  ) * 0.00000001 AS DECIMAL(18,8)) AS avg_price
FROM ranked
WHERE place <= 10
GROUP BY partition_date
ORDER BY partition_date
