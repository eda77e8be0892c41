ATTACH ':memory:' AS "left"
