SELECT date_trunc('month', day)::DATE AS month, sum(amount) AS amount, count(*) AS sales FROM silver.sales GROUP BY ALL
