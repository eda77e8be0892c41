-- One row per employee who has ever had a record that has begun: the one that is open on the run date, else the last one.
SELECT
  emp_id,
  coalesce(nullif(trim(designation), ''), 'UNKNOWN') AS designation,
  CAST(salary AS DECIMAL(12,2)) AS salary,
  valid_from AS start_date,
  valid_to AS end_date,
  valid_to IS NULL OR valid_to > run_date() AS employed
FROM silver.employee_timeframe
WHERE valid_from <= run_date()
QUALIFY row_number() OVER (PARTITION BY emp_id ORDER BY valid_from DESC) = 1
ORDER BY emp_id
