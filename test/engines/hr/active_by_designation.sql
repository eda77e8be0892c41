SELECT designation, count(*) AS no_of_active_emp
FROM gold.employee_status
WHERE status = 'ACTIVE'
GROUP BY designation
