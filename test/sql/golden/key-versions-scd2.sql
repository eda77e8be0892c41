WITH versions AS (SELECT *, row_number() OVER (ORDER BY "valid_from") AS __version FROM __history)
SELECT * FROM versions ORDER BY __version