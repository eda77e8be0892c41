CREATE OR REPLACE TEMP VIEW "this" AS SELECT * FROM "batch"."sa""les"
