COPY (SELECT 1::BIGINT AS small, 2.5::DOUBLE AS price, '2020-01-02' AS "at" UNION ALL SELECT 2, 2.555, 'x') TO 'in/a.parquet'
