SELECT 'p' AS pipeline, * FROM "p_ops"."runs"
UNION ALL BY NAME
SELECT 'q' AS pipeline, * FROM "q_ops"."runs"
ORDER BY started_at DESC, run_id DESC