SELECT coalesce(sum(-times) FILTER (times < 0), 0) AS removed, coalesce(sum(times) FILTER (times > 0), 0) AS added, arg_min(struct_pack(c0 := c0, c1 := CASE WHEN c1 IS NOT NULL THEN '***' END, c2 := c2, c3 := CAST(NULL AS DECIMAL(38,2)), times := abs(times)), row(c0, c1, c2, c3), 2) FILTER (times < 0) AS removed_rows, arg_min(struct_pack(c0 := c0, c1 := CASE WHEN c1 IS NOT NULL THEN '***' END, c2 := c2, c3 := CAST(NULL AS DECIMAL(38,2)), times := abs(times)), row(c0, c1, c2, c3), 2) FILTER (times > 0) AS added_rows
FROM (
  SELECT c0, c1, c2, c3, CAST(sum(sign) AS BIGINT) AS times
  FROM (SELECT c0, c1, c2, c3, -1 AS sign FROM __from UNION ALL SELECT c0, c1, c2, c3, 1 AS sign FROM __to) GROUP BY c0, c1, c2, c3 HAVING sum(sign) <> 0
)
