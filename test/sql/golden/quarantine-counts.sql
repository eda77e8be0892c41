SELECT count(*) AS rows, count(*) FILTER (status = 'condemned') AS condemned FROM __quarantine
