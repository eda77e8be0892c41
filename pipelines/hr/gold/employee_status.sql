-- Who is active on the run date: employed, and not struck out.
SELECT
  s.emp_id,
  s.designation,
  s.salary,
  t.current_salary,
  t.strikes,
  CASE WHEN s.employed AND t.status = 'ACTIVE' THEN 'ACTIVE' ELSE 'INACTIVE' END AS status
FROM gold.staff s
JOIN gold.strike_salary t USING (emp_id)
ORDER BY s.emp_id
