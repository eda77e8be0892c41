-- A row-wise map: one row for each accepted row of the source.
SELECT order_id, ordered_at, customer_id, quantity, price, CAST(price * quantity AS DECIMAL(20,2)) AS amount
FROM batch.orders
