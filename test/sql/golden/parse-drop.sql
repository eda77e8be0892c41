DROP TABLE __parsed
