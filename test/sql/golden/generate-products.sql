COPY (
WITH drawn AS (
  SELECT i AS product_id,
    md5_number_lower('42/products.kind/' || i) AS kind,
    md5_number_lower('42/products.price/' || i) AS price
  FROM range(1, 8) AS ids(i)
),
parts AS (
  SELECT product_id,
    kind % 3 AS kind_part,
    kind // 3 % 2 AS adjective_part,
    kind // 6 % 2 AS material_part,
    -- a product of two even draws: many cheap products, few dear ones
    100 + price % 1000 * (1 + price // 1000 % 50) AS price_cents
  FROM drawn
),
named AS (
  SELECT product_id, price_cents,
    list_extract(['Home', 'Home', 'Toys'], CAST(1 + kind_part AS BIGINT)) AS category,
    list_extract(['Lamp', 'Chair', 'Kite'], CAST(1 + kind_part AS BIGINT)) AS subcategory,
    list_extract(['Small', 'Large'], CAST(1 + adjective_part AS BIGINT)) AS adjective,
    list_extract(['Steel', 'Silk'], CAST(1 + material_part AS BIGINT)) AS material
  FROM parts
)
SELECT product_id, category, subcategory,
  adjective || ' ' || material || ' ' || subcategory AS product_name,
  CAST(price_cents * 0.01 AS DECIMAL(10,2)) AS base_price
FROM named
ORDER BY product_id
) TO 'out/products.csv' (FORMAT csv, HEADER true)
