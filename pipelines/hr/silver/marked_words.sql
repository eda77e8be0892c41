-- The list as it is compared: folded, trimmed, each word once, in order; what is blank is no word. Its hash says later by which list
-- a message was flagged.
SELECT
  list_sort(list_distinct(list_filter(
    list_transform(m.words, lambda word: regexp_replace(casefold(word), '^[\s\p{Z}]+|[\s\p{Z}]+$', '', 'g')), lambda word: word <> ''
  ))) AS word_list,
  md5(array_to_string(word_list, chr(10))) AS list_version,
  list_filter(word_list, lambda word: NOT list_contains(v.vocabulary, word)) AS unknown_words
FROM batch.marked_words m
LEFT JOIN (SELECT flatten(list(word_list)) AS vocabulary FROM silver.vocabulary) v ON true
