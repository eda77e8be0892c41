-- What was sold: one row per transaction, with the customer's place and the product's category and price as they were
-- at txn_ts, of the versions known when the transaction is loaded. A transaction whose customer or product had no
-- version then keeps nulls in those columns. Money is exact: a decimal price times a whole quantity.
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
  -- Wide enough that no price and no quantity can overflow: a bad row must reach its expectation.
  CAST(products.base_price AS DECIMAL(20,2)) * transactions.quantity AS total_amount
FROM batch.transactions AS transactions
-- An OR in a join condition would make DuckDB compare every transaction with every version.
LEFT JOIN silver.customers AS customers
  ON customers.customer_id = transactions.customer_id
  AND transactions.txn_ts >= customers.valid_from
  AND transactions.txn_ts < coalesce(customers.valid_to, TIMESTAMP 'infinity')
LEFT JOIN silver.products AS products
  ON products.product_id = transactions.product_id
  AND transactions.txn_ts >= products.valid_from
  AND transactions.txn_ts < coalesce(products.valid_to, TIMESTAMP 'infinity')
