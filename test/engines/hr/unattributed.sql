SELECT sender, receiver, message, sent_at, topic, "partition", "offset"
FROM silver.messages m
WHERE flagged AND sender NOT IN (SELECT CAST(emp_id AS varchar) FROM gold.staff)
