SELECT 'sales' AS what, count(*) AS n, sum(amount) AS total FROM silver.sales
UNION ALL SELECT 'feed', count(*), sum(amount) FROM silver.feed
UNION ALL SELECT 'days', count(*), sum(amount) FROM silver.days
UNION ALL SELECT 'extract', count(*), sum(amount) FROM silver.extract
UNION ALL SELECT 'stock', count(*), sum(price) FROM silver.stock
UNION ALL SELECT 'prices', count(*), sum(price) FROM silver.prices
