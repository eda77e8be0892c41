-- Every distinct invoice line. A cancellation is an invoice whose number starts with C; it stays, marked, with its
-- negative quantity. line_amount is exact.
SELECT
  invoice_no,
  stock_code,
  description,
  quantity,
  invoice_ts,
  unit_price,
  customer_id,
  country,
  starts_with(invoice_no, 'C') AS is_cancelled,
  -- Wide enough that no price and no quantity can overflow: a bad line must reach its expectation.
  CAST(unit_price AS DECIMAL(20,3)) * quantity AS line_amount
FROM batch.lines
