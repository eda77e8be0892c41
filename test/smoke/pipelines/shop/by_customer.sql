SELECT o.customer, c.name, count(*) AS orders, sum(o.amount) AS amount
FROM silver.orders o
LEFT JOIN silver.customers c ON c.id = o.customer
GROUP BY ALL
