-- Customers as they come, with the group of their age. The contract sets ages below 18 aside.
SELECT
  *,
  CASE
    WHEN age < 18 OR age IS NULL THEN 'unknown'
    WHEN age <= 24 THEN '18-24'
    WHEN age <= 34 THEN '25-34'
    WHEN age <= 44 THEN '35-44'
    WHEN age <= 54 THEN '45-54'
    WHEN age <= 64 THEN '55-64'
    ELSE '65+'
  END AS age_group
FROM batch.customers
