SELECT event_date, currency, count(*) AS transactions, sum(amount) AS total_amount
FROM silver.transactions
GROUP BY event_date, currency
