CREATE TABLE __malformed AS
WITH scans AS (
  SELECT scan_id, file_id, file_path, len(regexp_extract_all(columns, '''c[0-9]+'': ')) AS expected FROM "__scans_quarantine"
),
faults AS (
  SELECT scan_id, file_id, line, error_type, min(column_idx) AS first, max(column_idx) AS last, any_value(csv_line) AS csv_line,
    min(error_message) AS message
  FROM "__rejects_quarantine" GROUP BY ALL
),
described AS (
  SELECT f.scan_id, f.file_id, f.line, f.csv_line, CASE CAST(f.error_type AS VARCHAR)
      WHEN 'MISSING COLUMNS' THEN 'too few fields: got ' || f.first || '; expected ' || s.expected
      WHEN 'TOO MANY COLUMNS' THEN 'too many fields: got ' || f.last || '; expected ' || s.expected
      WHEN 'UNQUOTED VALUE' THEN 'field ' || f.first || ': text after the closing quote, or no closing quote'
      WHEN 'INVALID ENCODING' THEN 'field ' || f.first || ': bytes that are not UTF-8'
      ELSE f.message
    END AS detail
  FROM faults f JOIN scans s USING (scan_id, file_id)
),
records AS (
  SELECT scan_id, file_id, line, any_value(csv_line) AS csv_line, list({'code': 'SCHEMA_ERROR', 'detail': detail} ORDER BY detail) AS issues
  FROM described GROUP BY ALL
)
SELECT s.file_path AS path, CAST(r.line AS BIGINT) AS place, ltrim(r.csv_line, chr(10) || chr(13)) AS raw, r.issues
FROM records r JOIN scans s USING (scan_id, file_id)
