-- Who had taken more than 80 % of the year's leave by the day before the run date; on 1 January that is the year before. The month
-- is the period of the report. Without a quota there is no share of it: those are in gold.eighty_percent_exceptions.
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
  q.year,
  -- a quota of a day or two may come to more than the column holds
  CAST(CAST(least((taken.n * 20000 + q.leave_quota) // (2 * q.leave_quota), 999999) AS DECIMAL(18,0)) * 0.01 AS DECIMAL(6,2)) AS leave_percent,
  'Yes' AS flagged,
  strftime(run_date(), '%Y-%m') AS period,
  strftime(run_date(), '%Y-%m') || '/' || taken.emp_id AS report_key,
  run_date() AS report_date
FROM taken
JOIN silver.leave_quota q ON q.emp_id = taken.emp_id AND q.year = year(run_date() - INTERVAL 1 DAY)
WHERE q.leave_quota > 0 AND taken.n * 100 > 80 * q.leave_quota
ORDER BY taken.emp_id
