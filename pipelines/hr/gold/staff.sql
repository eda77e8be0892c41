-- One row per employee: his record that is open on the run date, else the last one that has begun. Of whom there is none is not
-- employed.
WITH people AS (
  SELECT emp_id FROM silver.employee_data
  UNION
  SELECT emp_id FROM silver.employee_timeframe
),
latest AS (
  SELECT *
  FROM silver.employee_timeframe
  WHERE valid_from <= run_date()
  QUALIFY row_number() OVER (PARTITION BY emp_id ORDER BY valid_from DESC) = 1
)
SELECT
  people.emp_id,
  CASE WHEN latest.emp_id IS NOT NULL THEN coalesce(nullif(trim(latest.designation), ''), 'UNKNOWN') END AS designation,
  CAST(latest.salary AS DECIMAL(12,2)) AS salary,
  latest.valid_from AS start_date,
  latest.valid_to AS end_date,
  latest.emp_id IS NOT NULL AND (latest.valid_to IS NULL OR latest.valid_to > run_date()) AS employed
FROM people
LEFT JOIN latest ON latest.emp_id = people.emp_id
ORDER BY people.emp_id
