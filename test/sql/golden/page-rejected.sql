SELECT strftime(quarantined_at AT TIME ZONE 'UTC', '%Y-%m-%d') AS day, code, count(*) AS rows
FROM (SELECT unnest(codes) AS code, quarantined_at FROM "p_ops"."quarantine"
  WHERE quarantined_at >= CAST('2026-03-02T00:00:00.000Z' AS TIMESTAMPTZ))
GROUP BY day, code ORDER BY sum(count(*)) OVER (PARTITION BY code) DESC, code, day