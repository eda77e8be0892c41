CREATE TABLE __shifts AS
SELECT unnest(['in/a.csv']::VARCHAR[]) AS path, 1::BIGINT AS record, 1::BIGINT AS place, 1::BIGINT AS line
UNION ALL
SELECT * FROM read_csv(['in/b.shifts'], auto_detect = false, header = false, delim = ',', quote = '"', escape = '"', new_line = '\n', columns = {'path': 'VARCHAR', 'record': 'BIGINT', 'place': 'BIGINT', 'line': 'BIGINT'})
