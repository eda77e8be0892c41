SELECT * FROM (SELECT m.* FROM __mapped m ANTI JOIN __rejected d ON m.__rid = d.rid ANTI JOIN __key_duplicates k ON m.__rid = k.rid)
