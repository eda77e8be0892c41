-- Who had taken leave of the year by the day before the run date, and has nothing to compare it with: no quota, or one of no days.
WITH taken AS (
  SELECT l.emp_id, count(DISTINCT l.date) AS n
  FROM gold.leave l
  WHERE l.status = 'ACTIVE' AND l.date >= date_trunc('year', run_date() - INTERVAL 1 DAY) AND l.date < run_date()
    AND l.date NOT IN (SELECT date FROM silver.leave_calendar)
  GROUP BY l.emp_id
)
SELECT
  taken.emp_id,
  taken.n AS leaves_taken,
  q.leave_quota,
  CAST(year(run_date() - INTERVAL 1 DAY) AS INTEGER) AS year,
  CASE WHEN q.leave_quota IS NULL THEN 'MISSING_QUOTA' ELSE 'NO_QUOTA' END AS code
FROM taken
LEFT JOIN silver.leave_quota q ON q.emp_id = taken.emp_id AND q.year = year(run_date() - INTERVAL 1 DAY)
WHERE coalesce(q.leave_quota, 0) = 0
ORDER BY taken.emp_id
