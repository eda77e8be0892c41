DROP TABLE __duplicates
