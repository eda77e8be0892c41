-- Messages with a marked word. Each is a strike of its sender, until the one that ends it; of a sender who is no employee it is none.
WITH numbered AS (
  SELECT
    *,
    row_number() OVER (PARTITION BY sender ORDER BY sent_at, topic, partition, "offset") AS no
  FROM silver.messages
  WHERE flagged AND sent_at < run_date() + INTERVAL 1 DAY
)
SELECT
  m.sender,
  m.receiver,
  m.message,
  CAST(m.sent_at AS DATE) AS date,
  m.sent_at,
  CASE WHEN m.no <= coalesce(s.last_strike_no, m.no) AND s.emp_id IS NOT NULL THEN m.no END AS strike_no
FROM numbered m
LEFT JOIN gold.strikes s ON CAST(s.emp_id AS VARCHAR) = m.sender
ORDER BY m.sent_at, m.topic, m.partition, m."offset"
