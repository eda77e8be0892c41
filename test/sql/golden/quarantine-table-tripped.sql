SELECT code, count(*) AS rows FROM (SELECT unnest(codes) AS code FROM t WHERE status <> 'released' AND quarantined_at >= CAST('2026-01-01T00:00:00Z' AS TIMESTAMPTZ)
UNION ALL
SELECT unnest(codes) AS code FROM s) GROUP BY code HAVING count(*) > 9 ORDER BY rows DESC, code
