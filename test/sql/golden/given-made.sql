CREATE SCHEMA ops; CREATE SCHEMA gold; CREATE TABLE gold.t AS FROM 'out/given.parquet';
CREATE TABLE ops.quarantine AS SELECT 's' AS source, 'f' AS source_file, 3 AS line, ['A'] AS codes, ['d'] AS details, 'x' AS raw, 'quarantined' AS status, 1 AS attempt, NULL AS business_key, 'r1' AS run_id
