SELECT count(*) AS readings, sum(value) AS value FROM silver.readings
