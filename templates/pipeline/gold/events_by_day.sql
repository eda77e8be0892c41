SELECT CAST(happened_at AS DATE) AS happened_on, kind, count(*) AS events
FROM silver.events
GROUP BY ALL
ORDER BY ALL
