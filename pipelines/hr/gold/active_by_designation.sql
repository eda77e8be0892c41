-- How many people each designation has now; those without one are 'UNKNOWN'.
SELECT
  coalesce(nullif(trim(designation), ''), 'UNKNOWN') AS designation,
  count(DISTINCT emp_id) AS no_of_active_emp
FROM gold.employee_timeframe
WHERE status = 'ACTIVE'
GROUP BY ALL
ORDER BY no_of_active_emp DESC, designation
