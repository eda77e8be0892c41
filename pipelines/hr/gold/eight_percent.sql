-- Who will be on leave for more than 8 % of the working days from the run date to the end of its year. Days count once, weekends
-- and holidays not at all; the comparison is of whole numbers. On the last working day's morrow there is nothing to compare with,
-- and the table is empty.
WITH days AS (
  SELECT DISTINCT CAST(midnight AS DATE) AS day
  FROM range(date_trunc('year', run_date()), date_trunc('year', run_date()) + INTERVAL 1 YEAR, INTERVAL 1 DAY) AS t(midnight)
  WHERE isodow(midnight) <= 5 AND CAST(midnight AS DATE) NOT IN (SELECT date FROM silver.leave_calendar)
),
working AS (
  SELECT count(*) AS n FROM days WHERE day >= run_date() OR var('base') = 'year'
),
upcoming AS (
  SELECT l.emp_id, count(DISTINCT l.date) AS n
  FROM gold.leave l
  JOIN days ON days.day = l.date
  WHERE l.date >= run_date() AND l.status = 'ACTIVE'
  GROUP BY l.emp_id
)
SELECT
  upcoming.emp_id,
  upcoming.n AS upcoming_leaves,
  working.n AS working_days,
  CAST(CAST((upcoming.n * 20000 + working.n) // (2 * working.n) AS DECIMAL(18,0)) * 0.01 AS DECIMAL(6,2)) AS leave_percent,
  run_date() AS as_of
FROM upcoming, working
WHERE upcoming.n * 100 > 8 * working.n AND working.n > 0
ORDER BY upcoming.emp_id
