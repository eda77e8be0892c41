SELECT list_sort(list_distinct(list_transform(words, lambda word: lower(nfc_normalize(regexp_replace(word, '^\s+|\s+$', '', 'g')))))) AS word_list
FROM batch.vocabulary
