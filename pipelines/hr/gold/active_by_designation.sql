-- How many active people each designation has; those without one are 'UNKNOWN'.
SELECT designation, count(*) AS no_of_active_emp
FROM gold.employee_status
WHERE status = 'ACTIVE'
GROUP BY ALL
ORDER BY no_of_active_emp DESC, designation
