DROP VIEW IF EXISTS temp."this"
