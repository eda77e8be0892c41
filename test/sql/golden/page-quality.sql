WITH known AS (SELECT q.*, r.finished_at AS ended FROM "p_ops"."quality" q JOIN "p_ops"."runs" r USING (run_id) WHERE ("table", "column") NOT IN (('p_silver.people', 'o''name')))
SELECT "table", "column", arg_max("rows", ended) AS "rows", arg_max(nulls, ended) AS nulls, arg_max(unique_key_ok, ended) AS key_ok
FROM known GROUP BY "table", "column" ORDER BY "table", "column"