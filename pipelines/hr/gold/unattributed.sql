-- Flagged messages whose sender is no employee: nobody gets a strike for them.
SELECT sender, receiver, message, sent_at, topic, partition, "offset"
FROM silver.messages m
WHERE flagged
  AND sender NOT IN (SELECT CAST(emp_id AS VARCHAR) FROM gold.staff)
ORDER BY sent_at, topic, partition, "offset"
