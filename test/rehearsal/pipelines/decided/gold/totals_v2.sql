SELECT shop, sum(amount) AS amount, count(shop) AS sales FROM silver.sales GROUP BY shop
