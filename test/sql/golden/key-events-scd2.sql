WITH versions AS (SELECT *, row_number() OVER (ORDER BY "valid_from") AS __version FROM __history),
judged AS (
  SELECT *,
    _event_hash = first_value(_event_hash) OVER (PARTITION BY "at" ORDER BY _op = 'delete' DESC, job desc, _event_hash) AS __won,
    row_number() OVER (PARTITION BY "at", _event_hash ORDER BY _source_file) > 1 AS __repeats,
    starts_with(_event_hash, 'missing from ') AS __missing,
    "at" = max("at") OVER () AS __last,
    row_number() OVER (ORDER BY "at", _op = 'delete' DESC, job desc, _event_hash, _source_file) AS __place
  FROM __key_events
)
SELECT e.*, CASE WHEN __won THEN CASE
      WHEN _op = 'delete' THEN (SELECT max(v.__version) FROM versions v WHERE v.valid_to = e."at")
      ELSE (SELECT max(v.__version) FROM versions v WHERE v.valid_from <= e."at")
    END END AS __version, __won AND _op <> 'delete' AND EXISTS (SELECT 1 FROM versions v WHERE v.valid_from = e."at") AS __starts
FROM judged e ORDER BY __place