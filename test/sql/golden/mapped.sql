CREATE TABLE __mapped AS SELECT id, country, __rid FROM batch.orders
