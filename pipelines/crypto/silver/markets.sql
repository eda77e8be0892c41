-- One row per snapshot, with the day (UTC) that it counts to.
SELECT
  id,
  symbol,
  name,
  current_price,
  market_cap,
  total_volume,
  last_updated,
  CAST(last_updated AS DATE) AS partition_date
FROM batch.markets
