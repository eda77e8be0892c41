(SELECT * FROM t WHERE (left("coun""try", 2) IN (CAST('x' AS VARCHAR), CAST('o''' AS VARCHAR)) OR left("coun""try", 2) IS NULL))
