SELECT * FROM "silver"."ta""ble" LIMIT 2
