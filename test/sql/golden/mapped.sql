CREATE TABLE __mapped AS SELECT * REPLACE (struct_extract(__rid, 'rid') AS __rid), struct_extract(__rid, 'hash') AS __hash FROM (SELECT id, country, __rid FROM batch.orders)
