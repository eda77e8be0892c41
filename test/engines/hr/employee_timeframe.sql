SELECT
  emp_id,
  designation,
  valid_from AS start_date,
  valid_to AS end_date,
  salary,
  CASE WHEN valid_to IS NULL THEN 'ACTIVE' ELSE 'INACTIVE' END AS status
FROM silver.employee_timeframe
