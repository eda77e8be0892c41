SELECT count(*) AS rows FROM __memory
