COPY (
WITH versions AS (
  SELECT i, 1 AS version FROM range(1, 8) AS ids(i)
  UNION ALL
  SELECT i, 2 AS version FROM range(10, 8, 10) AS ids(i)
),
drawn AS (
  SELECT i AS product_id, version,
    md5_number_lower('42/products.kind/' || i) AS kind,
    md5_number_lower('42/products.price/' || i) AS price,
    md5_number_lower('42/products.rise/' || i) AS rise,
    md5_number_lower('42/products.updated/' || i || '/' || version) AS updated
  FROM versions
),
parts AS (
  SELECT product_id, version, rise, CASE WHEN version = 1 THEN TIMESTAMP '2025-01-01 00:00:00' - to_seconds(1 + CAST(updated % 7776000 AS BIGINT)) ELSE TIMESTAMP '2025-01-01 00:00:00' + to_seconds(CAST(updated % 23328000 AS BIGINT)) END AS updated_at,
    kind % 3 AS kind_part,
    kind // 3 % 2 AS adjective_part,
    kind // 6 % 2 AS material_part,
    -- a product of two even draws: many cheap products, few dear ones
    100 + price % 1000 * (1 + price // 1000 % 50) AS price_cents
  FROM drawn
),
named AS (
  SELECT product_id, updated_at,
    price_cents + CASE WHEN version = 2 THEN 1 + rise % (price_cents // 5) ELSE 0 END AS price_cents,
    list_extract(['Home', 'Home', 'Toys'], CAST(1 + kind_part AS BIGINT)) AS category,
    list_extract(['Lamp', 'Chair', 'Kite'], CAST(1 + kind_part AS BIGINT)) AS subcategory,
    list_extract(['Small', 'Large'], CAST(1 + adjective_part AS BIGINT)) AS adjective,
    list_extract(['Steel', 'Silk'], CAST(1 + material_part AS BIGINT)) AS material
  FROM parts
)
SELECT product_id, category, subcategory,
  adjective || ' ' || material || ' ' || subcategory AS product_name,
  CAST(price_cents * 0.01 AS DECIMAL(10,2)) AS base_price,
  updated_at
FROM named
ORDER BY product_id, updated_at
) TO 'out/products.csv' (FORMAT csv, HEADER true)
