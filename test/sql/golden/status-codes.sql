SELECT code, count(*) FILTER (status = 'quarantined') AS quarantined, count(*) FILTER (status = 'condemned') AS condemned,
  count(*) FILTER (quarantined_at >= CAST('2026-03-02T00:00:00.000Z' AS TIMESTAMPTZ)) AS last_day
FROM (SELECT unnest(codes) AS code, status, quarantined_at FROM "p_ops"."quarantine" WHERE status <> 'released')
GROUP BY code ORDER BY count(*) DESC, code