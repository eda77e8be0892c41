-- What each employee earns after his strikes: a tenth less with each. Every level is computed from the base in exact decimals and
-- rounded once, half up. Levels that he has not come to are NULL.
SELECT
  s.emp_id,
  s.salary AS base_salary,
  CASE WHEN t.strikes >= 1 THEN CAST(round(s.salary * 0.9, 2) AS DECIMAL(12,2)) END AS salary_after_strike_1,
  CASE WHEN t.strikes >= 2 THEN CAST(round(s.salary * 0.81, 2) AS DECIMAL(12,2)) END AS salary_after_strike_2,
  CASE WHEN t.strikes >= 3 THEN CAST(round(s.salary * 0.729, 2) AS DECIMAL(12,2)) END AS salary_after_strike_3,
  CASE WHEN t.strikes >= 4 THEN CAST(round(s.salary * 0.6561, 2) AS DECIMAL(12,2)) END AS salary_after_strike_4,
  CASE WHEN t.strikes >= 5 THEN CAST(round(s.salary * 0.59049, 2) AS DECIMAL(12,2)) END AS salary_after_strike_5,
  CASE WHEN t.strikes >= 6 THEN CAST(round(s.salary * 0.531441, 2) AS DECIMAL(12,2)) END AS salary_after_strike_6,
  CASE WHEN t.strikes >= 7 THEN CAST(round(s.salary * 0.4782969, 2) AS DECIMAL(12,2)) END AS salary_after_strike_7,
  CASE WHEN t.strikes >= 8 THEN CAST(round(s.salary * 0.43046721, 2) AS DECIMAL(12,2)) END AS salary_after_strike_8,
  CASE WHEN t.strikes >= 9 THEN CAST(round(s.salary * 0.387420489, 2) AS DECIMAL(12,2)) END AS salary_after_strike_9,
  CASE WHEN t.strikes >= 10 THEN CAST(round(s.salary * 0.3486784401, 2) AS DECIMAL(12,2)) END AS salary_after_strike_10,
  coalesce(t.strikes, 0) AS strikes,
  coalesce(
    salary_after_strike_10,
    salary_after_strike_9,
    salary_after_strike_8,
    salary_after_strike_7,
    salary_after_strike_6,
    salary_after_strike_5,
    salary_after_strike_4,
    salary_after_strike_3,
    salary_after_strike_2,
    salary_after_strike_1,
    s.salary
  ) AS current_salary,
  coalesce(t.status, 'ACTIVE') AS status,
  t.inactive_since,
  run_date() AS as_of
FROM gold.staff s
LEFT JOIN gold.strikes t USING (emp_id)
ORDER BY s.emp_id
