-- The list as it is compared: trimmed, lower case, in composed letters, each word once, in order; what is blank is no word. Its hash
-- says later by which list a message was flagged.
SELECT
  list_sort(list_distinct(list_filter(
    list_transform(m.words, lambda word: lower(nfc_normalize(regexp_replace(word, '^\s+|\s+$', '', 'g')))), lambda word: word <> ''
  ))) AS word_list,
  md5(array_to_string(list_sort(list_distinct(list_filter(
    list_transform(m.words, lambda word: lower(nfc_normalize(regexp_replace(word, '^\s+|\s+$', '', 'g')))), lambda word: word <> ''
  ))), chr(10))) AS list_version,
  list_filter(
    list_sort(list_distinct(list_filter(
      list_transform(m.words, lambda word: lower(nfc_normalize(regexp_replace(word, '^\s+|\s+$', '', 'g')))), lambda word: word <> ''
    ))),
    lambda word: NOT list_contains(v.word_list, word)
  ) AS unknown_words
FROM batch.marked_words m
LEFT JOIN (SELECT flatten(list(word_list)) AS word_list FROM silver.vocabulary) v ON true
