CREATE TABLE __attempts AS
WITH present AS (SELECT p.rowid AS rid, p.__hash AS hash, p.__key AS key, p.__ok AS ok FROM __parsed p ANTI JOIN __duplicates d ON p.rowid = d.rid),
known AS (SELECT rid FROM present SEMI JOIN __memory m ON present.hash = m.row_hash),
prior AS (
  SELECT business_key AS key, count(*) AS rejections, count(*) FILTER (NOT own) AS shared FROM __memory
  WHERE status = 'quarantined' AND business_key IS NOT NULL GROUP BY ALL
),
risky AS (SELECT key FROM present WHERE NOT ok AND key IS NOT NULL UNION SELECT key FROM prior),
arrivals AS (
  SELECT p.rid, p.key, NOT p.ok AND k.rid IS NULL AS rejected
  FROM present p SEMI JOIN risky r ON p.key = r.key LEFT JOIN known k ON p.rid = k.rid
)
SELECT a.rid, coalesce(p.rejections, 0) + coalesce(sum(CAST(a.rejected AS INTEGER)) OVER earlier, 0) AS rejections,
  coalesce(p.shared, 0) + coalesce(sum(CAST(a.rejected AS INTEGER)) OVER earlier, 0) AS shared
FROM arrivals a LEFT JOIN prior p ON a.key = p.key
WINDOW earlier AS (PARTITION BY a.key ORDER BY a.rid ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
