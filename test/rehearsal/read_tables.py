"""read_tables.py <endpoint> <laptop root> <pipeline>: compares the deployed lake's tables with the laptop's.

Reads every table through PyIceberg's Glue catalog and the laptop's copy of it from its folder, and prints
{ "tables": { name: rows }, "differences": [text] } as JSON. What names a run, a moment or an upload is left out of the
comparison: those differ between two lakes by nature.
"""

import json
import os
import sys
from collections import Counter

from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.table import StaticTable

endpoint, root, pipeline = sys.argv[1:]
catalog = GlueCatalog(
    "deployed",
    **{
        "glue.endpoint": endpoint,
        "s3.endpoint": endpoint,
        "s3.region": "eu-central-1",
        "s3.access-key-id": "test",
        "s3.secret-access-key": "test",
        "client.region": "eu-central-1",
        "client.access-key-id": "test",
        "client.secret-access-key": "test",
    },
)

OF_A_RUN = {"run_id", "etag", "duration_ms"}


def comparable(column):
    return column not in OF_A_RUN and not column.endswith("_at")


def rows_of(table):
    found = table.scan().to_arrow()
    columns = [name for name in found.column_names if comparable(name)]
    rows = Counter(json.dumps(row, default=str, sort_keys=True) for row in found.select(columns).to_pylist())
    return columns, rows, found.num_rows


tables = {}
differences = []
for layer in ("silver", "gold", "ops"):
    database = f"{pipeline}_{layer}"
    deployed = sorted(name for _, name in catalog.list_tables(database) if name != "audit_log")
    folder = os.path.join(root, layer, pipeline)
    local = sorted(n for n in os.listdir(folder) if os.path.isdir(os.path.join(folder, n, "metadata")))
    if deployed != local:
        differences.append(f"{database}: deployed has {deployed}, the laptop {local}")
    for name in deployed:
        columns, rows, count = rows_of(catalog.load_table(f"{database}.{name}"))
        tables[f"{database}.{name}"] = count
        if name not in local or name == "runs":
            continue
        other_columns, other_rows, other_count = rows_of(StaticTable.from_metadata(os.path.join(folder, name)))
        if columns != other_columns:
            differences.append(f"{database}.{name}: columns {columns}, on the laptop {other_columns}")
        elif rows != other_rows:
            more = list((rows - other_rows).elements())[:3]
            less = list((other_rows - rows).elements())[:3]
            differences.append(f"{database}.{name}: {count} rows, {other_count} on the laptop; only deployed: {more}; only there: {less}")

print(json.dumps({"tables": tables, "differences": differences}))
