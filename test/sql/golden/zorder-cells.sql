WITH RECURSIVE places AS MATERIALIZED (SELECT __zorder AS place FROM (SELECT * EXCLUDE (__cut0, __rank0), (((CAST(__rank0 AS BIGINT) >> 9) & 1) << 9) | (((CAST(__rank0 AS BIGINT) >> 8) & 1) << 8) | (((CAST(__rank0 AS BIGINT) >> 7) & 1) << 7) | (((CAST(__rank0 AS BIGINT) >> 6) & 1) << 6) | (((CAST(__rank0 AS BIGINT) >> 5) & 1) << 5) | (((CAST(__rank0 AS BIGINT) >> 4) & 1) << 4) | (((CAST(__rank0 AS BIGINT) >> 3) & 1) << 3) | (((CAST(__rank0 AS BIGINT) >> 2) & 1) << 2) | (((CAST(__rank0 AS BIGINT) >> 1) & 1) << 1) | (((CAST(__rank0 AS BIGINT) >> 0) & 1) << 0) AS __zorder FROM (SELECT * REPLACE (__rank0 + CASE WHEN "id" >= __cut0[__rank0 + 1] THEN 1 ELSE 0 END AS __rank0) FROM (SELECT * REPLACE (__rank0 + CASE WHEN "id" >= __cut0[__rank0 + 2] THEN 2 ELSE 0 END AS __rank0) FROM (SELECT * REPLACE (__rank0 + CASE WHEN "id" >= __cut0[__rank0 + 4] THEN 4 ELSE 0 END AS __rank0) FROM (SELECT * REPLACE (__rank0 + CASE WHEN "id" >= __cut0[__rank0 + 8] THEN 8 ELSE 0 END AS __rank0) FROM (SELECT * REPLACE (__rank0 + CASE WHEN "id" >= __cut0[__rank0 + 16] THEN 16 ELSE 0 END AS __rank0) FROM (SELECT * REPLACE (__rank0 + CASE WHEN "id" >= __cut0[__rank0 + 32] THEN 32 ELSE 0 END AS __rank0) FROM (SELECT * REPLACE (__rank0 + CASE WHEN "id" >= __cut0[__rank0 + 64] THEN 64 ELSE 0 END AS __rank0) FROM (SELECT * REPLACE (__rank0 + CASE WHEN "id" >= __cut0[__rank0 + 128] THEN 128 ELSE 0 END AS __rank0) FROM (SELECT * REPLACE (__rank0 + CASE WHEN "id" >= __cut0[__rank0 + 256] THEN 256 ELSE 0 END AS __rank0) FROM (SELECT * REPLACE (__rank0 + CASE WHEN "id" >= __cut0[__rank0 + 512] THEN 512 ELSE 0 END AS __rank0) FROM (SELECT *, 0 AS __rank0 FROM __sample, __cuts))))))))))))),
cells AS (
  SELECT 0 AS depth, CAST(0 AS BIGINT) AS cell, count(*) AS rows FROM places
  UNION ALL
  SELECT c.depth + 1, p.place >> (9 - c.depth), count(*)
  FROM cells c JOIN places p ON p.place >> (10 - c.depth) = c.cell
  WHERE c.depth < 10 AND c.rows > (SELECT count(*) FROM places) / 2.5
  GROUP BY ALL
)
SELECT cell << (10 - depth) AS place, CAST(rows AS DOUBLE) / (SELECT count(*) FROM places) AS part
FROM cells WHERE depth = 10 OR rows <= (SELECT count(*) FROM places) / 2.5 ORDER BY place
