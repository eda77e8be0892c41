COPY (SELECT *, CAST((strata_hash_long(CAST("id" AS BIGINT)) & 2147483647) % 4 AS INTEGER) AS __bucket FROM (WITH starts AS (
  SELECT f.key, min(p.rowid) AS first FROM __parsed p JOIN (VALUES ('in/1.csv', 'bronze/o''a.csv')) f(path, key) ON f.path = p.__file GROUP BY f.key
),
typed AS (SELECT CAST("id" AS BIGINT) AS "id", CAST("coun""try" AS VARCHAR) AS "coun""try", CAST("at" AS TIMESTAMP WITH TIME ZONE) AS "at", 'upsert' AS _op, __rid FROM (SELECT m.* FROM __mapped m ANTI JOIN __drops d ON m.__rid = d.rid))
SELECT t.* EXCLUDE (__rid), sha256(concat(CASE WHEN "id" IS NULL THEN 'N;' ELSE 'V' || strlen(CAST("id" AS VARCHAR)) || ':' || CAST("id" AS VARCHAR) || ';' END, CASE WHEN "coun""try" IS NULL THEN 'N;' ELSE 'V' || strlen(CAST("coun""try" AS VARCHAR)) || ':' || CAST("coun""try" AS VARCHAR) || ';' END, CASE WHEN "at" IS NULL THEN 'N;' ELSE 'V' || strlen(CAST("at" AS VARCHAR)) || ':' || CAST("at" AS VARCHAR) || ';' END, _op)) AS _event_hash, s.key AS _source_file
FROM typed t ASOF JOIN starts s ON t.__rid >= s.first)) TO 'out/events' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (__bucket), WRITE_PARTITION_COLUMNS, OVERWRITE_OR_IGNORE, FILENAME_PATTERN '{uuid}', RETURN_STATS)
