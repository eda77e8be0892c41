-- Flagged messages that each employee has sent and received; one that he has sent to himself is both.
WITH ends AS (
  SELECT sender AS who, 1 AS sent, 0 AS received FROM silver.messages WHERE flagged
  UNION ALL
  SELECT receiver, 0, 1 FROM silver.messages WHERE flagged
)
SELECT p.emp_id, CAST(sum(e.sent) AS BIGINT) AS sent, CAST(sum(e.received) AS BIGINT) AS received
FROM ends e
JOIN gold.staff p ON CAST(p.emp_id AS VARCHAR) = e.who
GROUP BY p.emp_id
ORDER BY p.emp_id
