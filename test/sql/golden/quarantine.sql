CREATE TABLE __quarantine AS
WITH files(ordinal, path, key, header_records, records, open_line, open_text, before) AS (VALUES (0, 'in/a.csv', 'bronze/a.csv', 1, 6, NULL::BIGINT, NULL::VARCHAR, 0), (1, 'in/b.csv', 'bronze/o''b.csv', 1, 2, 99, '"x', 0)),
shifts AS (SELECT f.ordinal, s.record, s.place, s.line FROM __shifts s JOIN files f ON s.path = f.path),
located AS (
  SELECT m.ordinal, m.place, m.header_records, s.record + m.place - s.place AS record, s.line + m.place - s.place AS line,
    row_number() OVER (PARTITION BY m.ordinal ORDER BY m.place) - 1 AS nth
  FROM (SELECT f.ordinal, f.header_records, b.place FROM __malformed b JOIN files f ON b.path = f.path) m
  ASOF JOIN shifts s ON m.ordinal = s.ordinal AND m.place >= s.place
),
counted AS (
  SELECT f.*, f.records - coalesce(m.malformed, 0) AS well_formed
  FROM files f LEFT JOIN (SELECT ordinal, count(*) AS malformed FROM located GROUP BY ordinal) m ON f.ordinal = m.ordinal
),
numbered AS (
  SELECT *, coalesce(sum(well_formed) OVER (ORDER BY ordinal ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS first
  FROM counted
),
-- How many malformed records stand before the well-formed record number "after" of a file.
gaps AS (
  SELECT ordinal, record - nth - header_records - 1 AS after, max(nth) + 1 AS malformed FROM located GROUP BY ALL
),
failed AS (
  SELECT p.pos, f.ordinal, p.pos - f.first AS nth, f.header_records FROM __failed p JOIN numbered f ON p.path = f.path
),
placed AS (
  SELECT p.pos, p.ordinal, p.nth + p.header_records + 1 + coalesce(g.malformed, 0) AS record
  FROM failed p ASOF LEFT JOIN gaps g ON p.ordinal = g.ordinal AND p.nth >= g.after
),
lines AS (
  SELECT p.pos, s.line + p.record - s.record AS line
  FROM placed p ASOF JOIN shifts s ON p.ordinal = s.ordinal AND p.record >= s.record
),
malformed AS (
  SELECT m.path, l.line, CASE WHEN l.line = f.open_line THEN f.open_text ELSE m.raw END AS raw,
    CASE WHEN l.line = f.open_line THEN [{'code': 'SCHEMA_ERROR', 'detail': 'a quote is never closed: the record runs to the end of the file'}] ELSE m.issues END AS issues
  FROM __malformed m JOIN files f ON m.path = f.path JOIN located l ON l.ordinal = f.ordinal AND l.place = m.place
),
refused AS (
  SELECT p.path, l.line, p.raw, p.row_hash, p.business_key, p.issues, p.status, p.attempt, p.own
  FROM __failed p JOIN lines l ON p.pos = l.pos
  UNION ALL
  SELECT path, line, raw, sha256(raw), NULL, issues, 'quarantined', 1 AS attempt, false FROM malformed
)
SELECT 'orders' AS source, f.key AS source_file, CAST(r.line + f.before AS BIGINT) AS line, r.raw,
  list_transform(r.issues, lambda i: i.code) AS codes,
  list_transform(r.issues, lambda i: i.detail) AS details,
  r.row_hash, r.business_key, CAST(r.attempt AS INTEGER) AS attempt, r.status, 'run-1' AS run_id,
  CAST('2026-01-01T00:00:00Z' AS TIMESTAMPTZ) AS quarantined_at,
  CASE WHEN r.own THEN 'p_silver.o''rders' END AS table_name
FROM refused r JOIN files f ON r.path = f.path
