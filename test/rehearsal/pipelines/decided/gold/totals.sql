SELECT shop, sum(amount) AS amount, count(*) AS sales FROM silver.sales GROUP BY shop
