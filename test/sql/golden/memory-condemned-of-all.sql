INSERT INTO __rejected
WITH present AS (SELECT p.rowid AS rid, p.__hash AS hash, p.__key AS key, p.__ok AS ok FROM __parsed p),
known AS (
  SELECT p.rid, m.own FROM present p JOIN (SELECT row_hash, bool_and(own) AS own FROM __memory GROUP BY ALL) m ON p.hash = m.row_hash
)
SELECT rid, [{'code': 'DUPLICATE_FAILURE', 'detail': 'the same row is in quarantine already'}], 'condemned', own FROM known
UNION ALL
SELECT rid, [{'code': 'MAX_ATTEMPTS', 'detail': 'its key was rejected ' || rejections || ' times before'}], 'condemned', shared < 3
FROM __attempts ANTI JOIN known USING (rid) WHERE rejections >= 3
