"""Compares the tables of a lake in Glue with those of a lake in a folder, both read by PyIceberg.

Takes JSON on stdin: { endpoint, pipeline, laptop: folder of the local lake, compare: layers whose rows must be equal,
audit: whether functions have written an audit log, ignore: columns that differ between any two runs, sizes: columns of which only matters whether there is a value }. Prints JSON: { tables: { name: { rows, problems } }, audit: { rows,
problems, events } }. Every Iceberg table in Glue is read whole.
"""

import json
import sys
from collections import Counter
from pathlib import Path

import pyarrow
import pyarrow.compute
import pyarrow.dataset
from pyarrow.fs import S3FileSystem
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.table import StaticTable

LAYERS = ["silver", "gold", "ops"]
ARROW_TYPES = {"timestamp": "timestamp", "string": "string"}


def glue_catalog(endpoint: str) -> GlueCatalog:
    settings = {"client.region": "eu-central-1", "client.access-key-id": "rehearsal", "client.secret-access-key": "rehearsal"}
    return GlueCatalog("rehearsal", **{"glue.endpoint": endpoint, "s3.endpoint": endpoint, **settings})


def laptop_tables(root: Path, pipeline: str) -> dict[str, StaticTable]:
    tables = {}
    for layer in LAYERS:
        for folder in sorted((root / layer / pipeline).glob("*/metadata")):
            newest = max(folder.glob("v*.metadata.json"), key=lambda path: int(path.name[1:].split(".")[0]))
            tables[f"{pipeline}_{layer}.{folder.parent.name}"] = StaticTable.from_metadata(str(newest))
    return tables


def failed_runs(tables: dict, pipeline: str) -> list[str]:
    """Of runs that only AWS has seen fail nothing is on the laptop."""
    rows = tables[f"{pipeline}_ops.runs"].scan().to_arrow().to_pylist()
    return [row["run_id"] for row in rows if row["status"] == "FAILED"]


def read(table, ignore: set[str], failed: list[str]) -> pyarrow.Table:
    arrow = table.scan().to_arrow()
    if "run_id" in arrow.column_names:
        arrow = arrow.filter(pyarrow.compute.invert(pyarrow.compute.is_in(arrow["run_id"], pyarrow.array(failed, arrow["run_id"].type))))
    return arrow.select(sorted(name for name in arrow.column_names if name not in ignore))


def are_equal(aws: pyarrow.Table, laptop: pyarrow.Table) -> bool:
    """Whether they have the same rows, in any order. False also where that is not to be told column by column."""
    order = [(name, "ascending") for name in aws.column_names]
    try:
        return aws.sort_by(order).equals(laptop.sort_by(order))
    except (pyarrow.ArrowException, TypeError):
        return False


def rows_of(arrow: pyarrow.Table, sizes: set[str]) -> Counter:
    rows = (comparable(row, sizes) for row in arrow.to_pylist())
    return Counter(repr([row[name] for name in arrow.column_names]) for row in rows)


def comparable(row: dict, sizes: set[str]) -> dict:
    """Of sizes, whether they are known. How many files are left over depends on who was killed when."""
    known = {name: "known" if name in sizes and value is not None else value for name, value in row.items()}
    # Workers may cut what they write into other files.
    apart = row.get("kind") in ("expire", "vacuum") or row.get("action") in ("read", "write")
    return {**known, "files": None} if apart else known


def differences(aws: Counter, laptop: Counter) -> list[str]:
    found = []
    for where, rest in [("AWS", aws - laptop), ("the laptop", laptop - aws)]:
        if rest:
            row, _ = rest.most_common(1)[0]
            found.append(f"{rest.total()} rows on {where} alone, such as {row[:300]}")
    return found


def columns_of(table) -> list[tuple[str, str]]:
    return [(field.name, str(field.field_type)) for field in table.schema().fields]


def compare(catalog: GlueCatalog, request: dict) -> dict[str, dict]:
    pipeline, ignore, sizes = request["pipeline"], set(request["ignore"]), set(request["sizes"])
    laptop = laptop_tables(Path(request["laptop"]), pipeline)
    names = [".".join(name) for layer in LAYERS for name in catalog.list_tables(f"{pipeline}_{layer}")]
    answer = {}
    loaded = {name: catalog.load_table(name) for name in names}
    failed = failed_runs(loaded, pipeline) + failed_runs(laptop, pipeline)
    for name in sorted({*names, *laptop}):
        if name not in names or name not in laptop:
            answer[name] = {"rows": 0, "problems": [f"only on {'the laptop' if name in laptop else 'AWS'}"]}
            continue
        table = loaded[name]
        # What was decided is entered at once, also of runs that failed by it.
        left_out = [] if name == f"{pipeline}_ops.approvals" else failed
        here = read(table, ignore, left_out)
        problems = []
        if columns_of(table) != columns_of(laptop[name]):
            problems.append(f"columns {columns_of(table)}; on the laptop {columns_of(laptop[name])}")
        elif any(name.startswith(f"{pipeline}_{layer}.") for layer in request["compare"]):
            there = read(laptop[name], ignore, left_out)
            if not are_equal(here, there):
                problems += differences(rows_of(here, sizes), rows_of(there, sizes))
        answer[name] = {"rows": here.num_rows, "problems": problems}
    return answer


def audit_log(catalog: GlueCatalog, request: dict) -> dict:
    """The external table that Athena reads: its columns are those of the files at its location."""
    table = catalog.glue.get_table(DatabaseName=f"{request['pipeline']}_ops", Name="audit_log")["Table"]
    descriptor = table["StorageDescriptor"]
    filesystem = S3FileSystem(
        endpoint_override=request["endpoint"], region="eu-central-1", access_key="rehearsal", secret_key="rehearsal"
    )
    path = descriptor["Location"].removeprefix("s3://").rstrip("/")
    data = pyarrow.dataset.dataset(path, filesystem=filesystem, format="parquet").to_table()
    wanted = [(column["Name"], ARROW_TYPES[column["Type"]]) for column in descriptor["Columns"]]
    got = [(field.name, str(field.type).split("[")[0]) for field in data.schema]
    problems = [] if got == wanted else [f"files have columns {got}; the Glue table has {wanted}"]
    events = Counter(f"{row['function']}.{row['event']}" for row in data.to_pylist())
    return {"rows": data.num_rows, "problems": problems, "events": dict(sorted(events.items()))}


request = json.load(sys.stdin)
catalog = glue_catalog(request["endpoint"])
audit = audit_log(catalog, request) if request["audit"] else {"rows": 0, "problems": [], "events": {}}
print(json.dumps({"tables": compare(catalog, request), "audit": audit}))
