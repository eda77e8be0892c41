SELECT list_sort(list_distinct(list_transform(words, lambda word: lower(trim(word))))) AS word_list
FROM batch.vocabulary
