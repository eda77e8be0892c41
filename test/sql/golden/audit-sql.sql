SELECT count(*) AS broken, NULL AS examples FROM (SELECT id FROM this WHERE id > 5)
