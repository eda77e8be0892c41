-- A mode of the benchmark: no equality that DuckDB could hash, so that it sorts both sides of each join and walks them side by side.
SELECT
  transactions.txn_id,
  transactions.txn_ts,
  CAST(transactions.txn_ts AS DATE) AS order_date,
  CAST(year(transactions.txn_ts) * 100 + month(transactions.txn_ts) AS INTEGER) AS yyyymm,
  transactions.customer_id,
  customers.country,
  customers.region,
  transactions.product_id,
  products.category,
  products.subcategory,
  transactions.channel,
  transactions.quantity,
  products.base_price AS unit_price,
  CAST(products.base_price AS DECIMAL(20,2)) * transactions.quantity AS total_amount
FROM batch.transactions AS transactions
LEFT JOIN silver.customers AS customers
  ON transactions.customer_id >= customers.customer_id
  AND transactions.customer_id <= customers.customer_id
  AND transactions.txn_ts >= customers.valid_from
  AND transactions.txn_ts < coalesce(customers.valid_to, TIMESTAMP 'infinity')
LEFT JOIN silver.products AS products
  ON transactions.product_id >= products.product_id
  AND transactions.product_id <= products.product_id
  AND transactions.txn_ts >= products.valid_from
  AND transactions.txn_ts < coalesce(products.valid_to, TIMESTAMP 'infinity')
