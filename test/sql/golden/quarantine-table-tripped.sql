SELECT code, count(*) AS rows FROM (SELECT code FROM (SELECT DISTINCT source_file, line, raw, unnest(codes) AS code, quarantined_at FROM t WHERE status <> 'released' AND quarantined_at >= CAST('2026-01-01T00:00:00Z' AS TIMESTAMPTZ))
UNION ALL
SELECT code FROM (SELECT code FROM (SELECT DISTINCT source_file, line, raw, unnest(codes) AS code FROM s) AS arrived WHERE NOT EXISTS (
  SELECT 1 FROM (SELECT source_file, line, raw, unnest(codes) AS code FROM t) AS before
  WHERE before.source_file = arrived.source_file AND before.line = arrived.line AND before.code = arrived.code
    AND before.raw IS NOT DISTINCT FROM arrived.raw))) GROUP BY code HAVING count(*) > 9 ORDER BY rows DESC, code
