SELECT count(*) FILTER (NOT COALESCE((id < 5), true)) AS "small" FROM __mapped
