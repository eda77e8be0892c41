SELECT pos, path, raw, row_hash, [i.code FOR i IN issues] AS codes FROM __failed ORDER BY pos
