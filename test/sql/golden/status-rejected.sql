SELECT run_id, CAST(sum(read) AS BIGINT) AS read, CAST(sum(rejected) AS BIGINT) AS rejected
FROM (SELECT run_id, source, max(read) AS read, max(quarantined + condemned) AS rejected
  FROM "p_ops"."accounting" GROUP BY run_id, source)
GROUP BY run_id