SELECT pos, path, [i.code FOR i IN issues] AS codes FROM __failed
