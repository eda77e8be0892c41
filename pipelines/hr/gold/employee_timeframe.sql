-- The history as people read it. A record's end is what the history says, not what its file said: a successor ends the
-- open record before it, whichever of the two arrived first. For this reason the status is worked out here: when a row
-- arrives, nobody knows yet whether it stays open.
SELECT
  emp_id,
  designation,
  valid_from AS start_date,
  valid_to AS end_date,
  salary,
  CASE WHEN valid_to IS NULL THEN 'ACTIVE' ELSE 'INACTIVE' END AS status
FROM silver.employee_timeframe
ORDER BY emp_id, start_date
