ALTER TABLE "batch"."sa""les" ADD COLUMN __rid BIGINT
