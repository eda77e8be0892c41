SELECT count(*) AS broken FROM (SELECT 1)
