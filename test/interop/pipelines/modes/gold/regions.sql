SELECT region, count(*) AS events, sum(amount) AS amount
FROM silver.appended
GROUP BY region
