SELECT count(*) AS rows FROM __to
