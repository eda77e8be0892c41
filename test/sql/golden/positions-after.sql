(SELECT "id", "coun""try", valid_from, valid_to FROM __history h ANTI JOIN __gone g ON h.__file = g.file_path AND h.__number = g.pos
UNION ALL SELECT "id", "coun""try", valid_from, valid_to FROM a)
