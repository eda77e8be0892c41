SELECT count(*) AS rows FROM __parsed WHERE __ok
