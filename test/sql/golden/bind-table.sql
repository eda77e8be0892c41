CREATE TABLE "batch"."sa""les" ("id" INTEGER, "na""me" VARCHAR[])
