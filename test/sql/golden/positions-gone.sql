CREATE TABLE __history AS SELECT s.* FROM __stored s SEMI JOIN (SELECT * FROM __touched) t USING ("id", "coun""try");
CREATE TABLE __same AS SELECT "id", "coun""try", valid_from, h.__file, h.__number FROM __history h JOIN __recomputed r USING ("id", "coun""try", valid_from) WHERE h."id" IS NOT DISTINCT FROM r."id" AND h."coun""try" IS NOT DISTINCT FROM r."coun""try" AND h."at" IS NOT DISTINCT FROM r."at" AND h."price" IS NOT DISTINCT FROM r."price" AND CAST(h."price" AS VARCHAR) IS NOT DISTINCT FROM CAST(r."price" AS VARCHAR);
CREATE TABLE __gone AS SELECT h.__file AS file_path, h.__number AS pos, h.__bucket
FROM __history h JOIN (SELECT * FROM __touched) t USING ("id", "coun""try")
ANTI JOIN __same s ON h.__file = s.__file AND h.__number = s.__number WHERE t.__whole OR h.is_current;
SELECT DISTINCT __bucket AS bucket FROM __gone ORDER BY bucket
