COPY (SELECT _source_file AS file, max(sequence) AS sequence FROM (
  SELECT _source_file, "at" AS sequence FROM l WHERE _source_file NOT IN ('o''a.csv', 'b.csv')
  UNION ALL
  SELECT _source_file, "at" AS sequence FROM n
) WHERE _source_file NOT IN (SELECT source_file FROM q1 WHERE status <> 'released' UNION ALL SELECT source_file FROM q2 WHERE status <> 'released') GROUP BY ALL) TO 'out/extracts.parquet' (FORMAT parquet, RETURN_STATS)
