DROP VIEW __parsed
