WITH versions AS (SELECT *, row_number() OVER (ORDER BY "at") AS __version FROM __history),
judged AS (
  SELECT *,
    _event_hash = first_value(_event_hash) OVER (PARTITION BY "at" ORDER BY _op = 'delete' DESC, _event_hash) AS __won,
    row_number() OVER (PARTITION BY "at", _event_hash ORDER BY _source_file) > 1 AS __repeats,
    starts_with(_event_hash, 'missing from ') AS __missing,
    "at" = max("at") OVER () AS __last,
    row_number() OVER (ORDER BY "at", _op = 'delete' DESC, _event_hash, _source_file) AS __place
  FROM __key_events
)
SELECT e.*, CASE WHEN _op <> 'delete' AND __won AND __last THEN 1 END AS __version, __won AND _op <> 'delete' AND __last AS __starts
FROM judged e ORDER BY __place