-- Leave by employee and day, Monday to Friday, of people who are employed on the run date. What was cancelled at least as often
-- as it was applied for is cancelled, so a file that is landed twice changes nothing. Holidays stay: reports leave them out.
SELECT
  e.emp_id,
  e.date,
  CAST(year(e.date) AS INTEGER) AS year,
  CAST(month(e.date) AS INTEGER) AS month,
  CASE
    WHEN var('leave_rule') = 'last' THEN max({'file': e.source_file, 'status': e.status}).status
    WHEN count(*) FILTER (e.status = 'CANCELLED') >= count(*) FILTER (e.status = 'ACTIVE') THEN 'CANCELLED'
    ELSE 'ACTIVE'
  END AS status,
  count(*) FILTER (e.status = 'ACTIVE') AS applied,
  count(*) FILTER (e.status = 'CANCELLED') AS cancelled,
  min(e.source_file) AS first_file,
  max(e.source_file) AS last_file
FROM silver.leave_events e
JOIN gold.staff s ON s.emp_id = e.emp_id AND s.employed
WHERE isodow(e.date) <= 5
GROUP BY e.emp_id, e.date
ORDER BY e.emp_id, e.date
