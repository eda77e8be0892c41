CREATE TABLE __shared_quarantine AS
SELECT *, count(*) OVER same AS n, max(attempt) OVER same AS attempts, row_number() OVER (same ORDER BY reader) = 1 AS first
FROM (
SELECT *, 0 AS reader, 'o''a' AS reader_name,
  row_number() OVER (PARTITION BY table_name, source_file, line, row_hash, business_key, codes, details, status) AS nth FROM a
UNION ALL BY NAME
SELECT *, 1 AS reader, 'b' AS reader_name,
  row_number() OVER (PARTITION BY table_name, source_file, line, row_hash, business_key, codes, details, status) AS nth FROM b
)
WINDOW same AS (PARTITION BY table_name, source_file, line, row_hash, business_key, codes, details, status, nth)
