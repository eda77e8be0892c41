"""A table whose columns grew and whose partitioning changed between two runs."""

import pyarrow as pa
from pyiceberg.expressions import EqualTo, GreaterThan, IsNull

from harness import Report, holds, same
from modes_lake import read_csv
from pruning import check_pruning, plan
from rows import same_rows
from tables import check_table, open_table, snapshot_of_run

FIRST = pa.schema(
    [
        ("id", pa.int32()),
        ("class", pa.int32()),
        ("score", pa.float32()),
        ("price", pa.decimal128(9, 2)),
        ("name", pa.string()),
    ]
)
SECOND = pa.schema(
    [
        ("id", pa.int64()),
        ("class", pa.int64()),
        ("score", pa.float64()),
        ("price", pa.decimal128(18, 2)),
        ("name", pa.string()),
        ("note", pa.string()),
    ]
)


def check_evolving(report: Report, lake: dict) -> None:
    first, second = (read_csv(path, schema) for path, schema in zip(lake["batches"], (FIRST, SECOND)))
    widened = first.append_column("note", pa.nulls(first.num_rows, pa.string())).cast(SECOND)
    check_table(report, "evolving before", lake["tables"]["first"], first)
    described = {**lake["tables"]["second"], "fresh_ids": False}
    expected = pa.concat_tables([widened, second])
    table, raws = check_table(report, "evolving", described, expected)
    with report.check("evolving: field ids stay, new ones are new"):
        ids = {field.name: field.field_id for field in table.schema().fields}
        same(ids, {"id": 1, "class": 2, "score": 3, "price": 4, "name": 5, "note": 6}, "ids")
        same([s.schema_id for s in table.schemas().values()], [0, 1], "schemas")
    with report.check("evolving: the first snapshot has the first schema"):
        snapshot = snapshot_of_run(table, lake["runs"][0])
        scan = table.scan(snapshot_id=snapshot.snapshot_id)
        same_rows(scan.to_arrow(), first, "rows")
        same(str(scan.projection()), str(open_table(lake["tables"]["first"]["metadata"]).schema()), "schema")
    with report.check("evolving: files of both partitionings"):
        specs = {task.file.spec_id: len(task.file.partition) for task in table.scan().plan_files()}
        same(specs, {0: 1, 1: 2}, "partition fields by spec")
    with report.check("evolving: bounds of narrower types exclude files"):
        big = plan(table, GreaterThan("id", 2_999_999_999))
        same(big, {path for path, raw in raws.items() if max(raw.rows.column("id").to_pylist()) > 2_999_999_999}, "id")
        dear = plan(table, GreaterThan("price", "10000000.00"))
        holds(0 < len(dear) < len(raws), f"{len(dear)} of {len(raws)} files planned")
    with report.check("evolving: files older than a column have nulls in it"):
        got = table.scan(row_filter=IsNull("note")).to_arrow()
        same_rows(got, widened, "rows")
    with report.check("evolving: a partition column that was widened"):
        for value in (1, 3_000_000_001):
            wanted = sum(v == value for v in expected.column("class").to_pylist())
            holds(wanted > 0, f"no rows of class {value}")
            same(table.scan(row_filter=EqualTo("class", value)).to_arrow().num_rows, wanted, f"class {value}")
    for column in ("id", "class", "price", "name", "score"):
        with report.check(f"evolving: pruning by {column}"):
            check_pruning(table, raws, column, 8)
