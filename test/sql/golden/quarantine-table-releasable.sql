SELECT count(*) AS rows FROM t WHERE status <> 'released' AND true
