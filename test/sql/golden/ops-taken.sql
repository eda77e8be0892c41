SELECT model, key, etag, status, dense_rank() OVER (PARTITION BY model ORDER BY first.at, first.run) - 1 AS batch, first.run AS run, corrected FROM (
  SELECT model, key, etag, arg_max(status, {'at': ingested_at, 'ingested': status = 'ingested'}) AS status,
    coalesce(min(counts) FILTER (status = 'ingested'), min(counts)) AS first,
    coalesce(max(ingested_at) < max(replaced_at), false) AS corrected
  FROM (
    SELECT t.model, f.*, {'at': coalesce(p.at, f.ingested_at), 'run': coalesce(f.place, f.run_id)} AS counts,
      max(f.ingested_at) FILTER (f.place IS NOT NULL) OVER (PARTITION BY t.model, f.key) AS replaced_at
    FROM ops.files f JOIN (VALUES ('a', 's', 'a', true), ('new', 's', 'new', false)) t(model, for_source, for_table, alone)
      ON f.source = t.for_source AND (f.table_name IS NULL OR f.table_name = t.for_table OR NOT t.alone)
    LEFT JOIN (SELECT run_id, min(ingested_at) AS at FROM ops.files GROUP BY run_id) p ON f.place = p.run_id
  ) GROUP BY model, key, etag
) ORDER BY model, batch, key
