SELECT
  s.emp_id,
  s.designation,
  s.salary,
  t.current_salary,
  t.strikes,
  CASE WHEN s.employed AND t.status = 'ACTIVE' THEN 'ACTIVE' ELSE 'INACTIVE' END AS status
FROM gold.staff s
JOIN gold.strike_salary t ON t.emp_id = s.emp_id
