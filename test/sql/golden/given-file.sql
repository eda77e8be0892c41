COPY (SELECT "i""d", "amount", "mean" FROM (SELECT *, TRY_CAST(__c0 AS INTEGER) AS "i""d", TRY_CAST(__c1 AS DECIMAL(5,2)) AS "amount", TRY_CAST(__c2 AS DOUBLE) AS "mean" FROM (VALUES (0, '1', 'o''x', '0.3'),
(1, CAST(NULL AS VARCHAR), '1.1', '0.30000000000000004')) AS given(__nth, __c0, __c1, __c2)) ORDER BY __nth) TO 'out/given.parquet' (FORMAT parquet)
