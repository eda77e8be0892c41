COPY (
WITH drawn AS (
  SELECT i AS customer_id,
    md5_number_lower('42/customers.person/' || i) AS person,
    md5_number_lower('42/customers.place/' || i) AS place
  FROM range(1, 10) AS ids(i)
),
parts AS (
  SELECT customer_id,
    person % 2 = 0 AS female,
    person // 2 % 63 AS age_part,
    person // 126 % 1000000 AS first_part,
    person // 126000000 AS last_part,
    place % 3 AS country_part
  FROM drawn
)
SELECT customer_id,
  CASE WHEN female THEN list_extract(['Ada', 'Grace'], CAST(1 + first_part % 2 AS BIGINT))
    ELSE list_extract(['Alan', 'Edsger', 'Tony'], CAST(1 + first_part % 3 AS BIGINT)) END
    || ' ' || list_extract(['O''Neil', 'de la Cruz'], CAST(1 + last_part % 2 AS BIGINT)) AS customer_name,
  18 + age_part AS age,
  CASE WHEN female THEN 'F' ELSE 'M' END AS gender,
  list_extract(['Japan', 'Peru', 'Spain'], CAST(1 + country_part AS BIGINT)) AS country,
  list_extract(['Asia', 'America', 'Europe'], CAST(1 + country_part AS BIGINT)) AS region
FROM parts
ORDER BY customer_id
) TO 'out/customers.csv' (FORMAT csv, HEADER true)
