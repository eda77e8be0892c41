CREATE VIEW this AS SELECT * FROM "silver"."ta""ble"
