SELECT row_number() OVER (ORDER BY id desc, len("na""me")) AS ok FROM "batch"."sa""les"
