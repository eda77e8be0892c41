SELECT (id > 1 OR true) AS ok FROM "batch"."sa""les"
