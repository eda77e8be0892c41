-- What each message says, and which marked words are in it. A message keeps the list of words that it was flagged by, until all are
-- looked through anew by `strata backfill hr --select silver.messages`; of several lists that came together all words count. Words
-- are compared folded: in no case, and in one form of each letter.
SELECT
  m.topic,
  m.partition,
  m."offset",
  json_extract_string(json(m.value), '$.sender') AS sender,
  json_extract_string(json(m.value), '$.receiver') AS receiver,
  json_extract_string(json(m.value), '$.message') AS message,
  m.sent_at,
  list_sort(list_distinct(list_intersect(
    list_transform(
      string_split_regex(casefold(json_extract_string(json(m.value), '$.message')), '[\s\p{Z}]+'),
      lambda token: CASE
        WHEN var('matching') = 'token' THEN token
        ELSE regexp_replace(token, '^[^\p{L}\p{N}\p{M}]+|[^\p{L}\p{N}\p{M}]+$', '', 'g') END
    ),
    coalesce(w.word_list, [])
  ))) AS words,
  len(words) > 0 AS flagged,
  w.list_version
FROM batch.messages m
LEFT JOIN (
  SELECT list_sort(list_distinct(flatten(list(word_list)))) AS word_list,
    md5(array_to_string(list_sort(list_distinct(flatten(list(word_list)))), chr(10))) AS list_version
  FROM silver.marked_words
) w ON true
