COPY (SELECT _source_file AS file, max(sequence) AS sequence FROM (
  SELECT _source_file, "at" AS sequence FROM l
  UNION ALL
  SELECT _source_file, "at" AS sequence FROM n
) GROUP BY ALL) TO 'out/extracts.parquet' (FORMAT parquet, RETURN_STATS)
