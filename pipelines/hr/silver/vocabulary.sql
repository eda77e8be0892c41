SELECT list_sort(list_distinct(list_transform(words, lambda word: regexp_replace(casefold(word), '^[\s\p{Z}]+|[\s\p{Z}]+$', '', 'g')))) AS word_list
FROM batch.vocabulary
