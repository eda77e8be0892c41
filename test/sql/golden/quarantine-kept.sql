CREATE TABLE __failed AS
SELECT p.rowid AS pos, struct_extract(p.__failed_row, 'path') AS path, struct_extract(p.__failed_row, 'raw') AS raw, struct_extract(p.__failed_row, 'row_hash') AS row_hash, struct_extract(p.__failed_row, 'business_key') AS business_key,
  coalesce(d.issues, struct_extract(p.__failed_row, 'issues')) AS issues, coalesce(d.status, 'quarantined') AS status,
  1 AS attempt, coalesce(d.own, false) AS own
FROM __parsed p
LEFT JOIN __rejected d ON d.rid = p.rowid
ANTI JOIN __duplicates x ON p.rowid = x.rid
WHERE NOT p.__ok
