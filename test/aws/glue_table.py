"""glue_table.py <endpoint> <database.table> [append]: what PyIceberg's Glue catalog sees of a table, as JSON.

With `append` it first commits the table's own rows once more, as another writer would.
"""

import json
import sys

from pyiceberg.catalog.glue import GlueCatalog

endpoint, name, *rest = sys.argv[1:]
catalog = GlueCatalog(
    "moto",
    **{
        "glue.endpoint": endpoint,
        "s3.endpoint": endpoint,
        "client.region": "eu-central-1",
        "client.access-key-id": "test",
        "client.secret-access-key": "test",
    },
)
table = catalog.load_table(name)
if rest == ["append"]:
    table.append(table.scan().to_arrow())
    table = catalog.load_table(name)

rows = table.scan().to_arrow().sort_by("id").to_pylist()
answer = {
    "tables": [".".join(one) for one in catalog.list_tables(name.split(".")[0])],
    "location": table.metadata_location,
    "fields": [[f.field_id, f.name, str(f.field_type), f.doc] for f in table.schema().fields],
    "snapshots": [str(snapshot.snapshot_id) for snapshot in table.metadata.snapshots],
    "log": [entry.metadata_file for entry in table.metadata.metadata_log],
    "rows": [{key: None if value is None else str(value) for key, value in row.items()} for row in rows],
}
print(json.dumps(answer))
