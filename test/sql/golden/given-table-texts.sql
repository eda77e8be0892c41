SELECT CAST("i""d" AS VARCHAR) AS "i""d", CAST("amount" AS VARCHAR) AS "amount", CASE WHEN isfinite("mean") THEN printf('%.12g', "mean" + 0) ELSE CAST("mean" AS VARCHAR) END AS "mean" FROM "gold"."t"
