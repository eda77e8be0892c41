WITH ends AS (
  SELECT sender AS who, 1 AS sent, 0 AS received FROM silver.messages WHERE flagged
  UNION ALL
  SELECT receiver, 0, 1 FROM silver.messages WHERE flagged
)
SELECT p.emp_id, sum(e.sent) AS sent, sum(e.received) AS received
FROM ends e
JOIN gold.staff p ON CAST(p.emp_id AS varchar) = e.who
GROUP BY p.emp_id
