CREATE TABLE __merged AS
SELECT * FROM (SELECT * FROM __exchanged QUALIFY row_number() OVER (PARTITION BY "id" ORDER BY __unit, __rid) = 1) e
ANTI JOIN (SELECT 1 AS id) t ON e."id" = t."id"
