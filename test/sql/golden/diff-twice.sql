CREATE TEMP TABLE __twice AS
SELECT c0, CAST(sum(was) AS BIGINT) AS was, CAST(sum(now) AS BIGINT) AS now
FROM (SELECT c0, 1 AS was, 0 AS now FROM __from UNION ALL SELECT c0, 0 AS was, 1 AS now FROM __to) GROUP BY c0 HAVING sum(was) > 1 OR sum(now) > 1;
CREATE VIEW __from_once AS SELECT s.* FROM __from s ANTI JOIN __twice t ON s.c0 IS NOT DISTINCT FROM t.c0;
CREATE VIEW __to_once AS SELECT s.* FROM __to s ANTI JOIN __twice t ON s.c0 IS NOT DISTINCT FROM t.c0;
CREATE VIEW __from_twice AS SELECT s.* FROM __from s SEMI JOIN __twice t ON s.c0 IS NOT DISTINCT FROM t.c0;
CREATE VIEW __to_twice AS SELECT s.* FROM __to s SEMI JOIN __twice t ON s.c0 IS NOT DISTINCT FROM t.c0
