COPY (WITH present AS (SELECT p.rowid AS rid, p.__hash AS hash, p.__key AS key, p.__ok AS ok FROM __parsed p ANTI JOIN __duplicates d ON p.rowid = d.rid)
SELECT key, count(*) AS rejections FROM present ANTI JOIN __memory m ON present.hash = m.row_hash
WHERE NOT ok AND key IS NOT NULL GROUP BY ALL) TO 'o''wn.parquet' (FORMAT parquet)
