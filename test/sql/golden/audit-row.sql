SELECT count(*) AS broken, NULL AS examples FROM (SELECT * FROM this WHERE NOT COALESCE((id < 2), true))
