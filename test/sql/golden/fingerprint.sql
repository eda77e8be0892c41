SELECT count(*) AS rows, CAST(coalesce(sum(CAST(hash("id", "o""x") AS HUGEINT)), 0) AS VARCHAR) AS hashes FROM t
