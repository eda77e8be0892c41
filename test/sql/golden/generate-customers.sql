COPY (
WITH versions AS (
  SELECT i, 1 AS version FROM range(1, 10) AS ids(i)
  UNION ALL
  SELECT i, 2 AS version FROM range(10, 10, 10) AS ids(i)
),
drawn AS (
  SELECT i AS customer_id, version,
    md5_number_lower('42/customers.person/' || i) AS person,
    md5_number_lower('42/customers.place/' || i) AS place,
    md5_number_lower('42/customers.move/' || i) AS move,
    md5_number_lower('42/customers.updated/' || i || '/' || version) AS updated
  FROM versions
),
parts AS (
  SELECT customer_id, CASE WHEN version = 1 THEN TIMESTAMP '2025-01-01 00:00:00' - to_seconds(1 + CAST(updated % 7776000 AS BIGINT)) ELSE TIMESTAMP '2025-01-01 00:00:00' + to_seconds(CAST(updated % 23328000 AS BIGINT)) END AS updated_at,
    person % 2 = 0 AS female,
    person // 2 % 63 AS age_part,
    person // 126 % 1000000 AS first_part,
    person // 126000000 AS last_part,
    -- a move leads to another country, where there is another
    (place % 3 + CASE WHEN version = 2 THEN 1 + move % 2 ELSE 0 END) % 3 AS country_part
  FROM drawn
)
SELECT customer_id,
  CASE WHEN female THEN list_extract(['Ada', 'Grace'], CAST(1 + first_part % 2 AS BIGINT))
    ELSE list_extract(['Alan', 'Edsger', 'Tony'], CAST(1 + first_part % 3 AS BIGINT)) END
    || ' ' || list_extract(['O''Neil', 'de la Cruz'], CAST(1 + last_part % 2 AS BIGINT)) AS customer_name,
  18 + age_part AS age,
  CASE WHEN female THEN 'F' ELSE 'M' END AS gender,
  list_extract(['Japan', 'Peru', 'Spain'], CAST(1 + country_part AS BIGINT)) AS country,
  list_extract(['Asia', 'America', 'Europe'], CAST(1 + country_part AS BIGINT)) AS region,
  updated_at
FROM parts
ORDER BY customer_id, updated_at
) TO 'out/customers.csv' (FORMAT csv, HEADER true)
