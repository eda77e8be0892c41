SELECT count(*) AS rows, CAST(coalesce(sum(CAST(hash("id", "o""x", "o""x" = 0 AND signbit("o""x"), CAST("tags" AS VARCHAR)) AS HUGEINT)), 0) AS VARCHAR) AS hashes FROM t
