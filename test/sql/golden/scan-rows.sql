SELECT * FROM silver."ta""ble" ORDER BY "na""me"
