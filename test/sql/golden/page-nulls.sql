WITH known AS (SELECT q.*, r.finished_at AS ended FROM "p_ops"."quality" q JOIN "p_ops"."runs" r USING (run_id)), recent AS (
  SELECT "table" || '.' || "column" AS "column", strftime(ended AT TIME ZONE 'UTC', '%Y-%m-%d') AS day, "rows", nulls FROM known
  WHERE ended >= CAST('2026-03-02T00:00:00.000Z' AS TIMESTAMPTZ) AND "rows" > 0 AND nulls IS NOT NULL
), worst AS (
  SELECT "column", sum(nulls) / sum("rows") AS share FROM recent GROUP BY "column" HAVING sum(nulls) > 0 ORDER BY share DESC, "column" LIMIT 5
)
SELECT day, "column", 100 * sum(nulls) / sum("rows") AS percent FROM recent JOIN worst USING ("column")
GROUP BY day, "column", share ORDER BY share DESC, "column", day