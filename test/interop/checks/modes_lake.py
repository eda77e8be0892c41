"""Three batches under each mode: what every snapshot of every table holds follows from the CSV files."""

from collections import defaultdict
from decimal import Decimal

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
from pyiceberg.expressions import And, GreaterThanOrEqual, LessThan

from data_files import path_of
from harness import Report, holds, same
from pruning import check_month, check_pruning, plan
from rows import same_rows
from tables import check_table, open_table, raw_files, snapshot_of_run

EVENTS = pa.schema(
    [
        ("id", pa.int64()),
        ("sensor", pa.int32()),
        ("at", pa.timestamp("us")),
        ("region", pa.string()),
        ("amount", pa.decimal128(12, 2)),
    ]
)
ENDS = [("valid_from", pa.int64()), ("valid_to", pa.int64()), ("is_current", pa.bool_())]


def check_modes(report: Report, lake: dict) -> None:
    batches = [read_csv(path, EVENTS) for path in lake["batches"]]
    expected = {name: [rule(batches[: n + 1]) for n in range(len(batches))] for name, rule in RULES.items()}
    for name, described in lake["tables"].items():
        described = {**described, "key": "region" if name == "regions" else "id"}
        table, raws = check_table(report, f"modes.{name}", described, expected[name][-1])
        for n, run in enumerate(lake["runs"]):
            with report.check(f"modes.{name}: as of run {n + 1}"):
                snapshot = snapshot_of_run(table, run)
                got = table.scan(snapshot_id=snapshot.snapshot_id).to_arrow()
                same_rows(got, expected[name][n], "rows", described["key"])
    check_history(report, lake, batches)
    check_months(report, lake)


def check_history(report: Report, lake: dict, batches: list[pa.Table]) -> None:
    with report.check("modes: operations"):
        operations = {name: [s.summary.operation.value for s in snapshots(table)] for name, table in lake["tables"].items()}
        wanted = {
            "appended": ["append"] * 3,
            "replaced": ["append", "overwrite", "overwrite"],
            "current": ["append", "overwrite", "overwrite"],
            "versions": ["append", "overwrite", "overwrite"],
            "latest": ["append", "overwrite", "overwrite"],
            "regions": ["append", "overwrite", "overwrite"],
        }
        same(operations, wanted, "operations")
    with report.check("modes: each snapshot follows the one before"):
        for name, table in lake["tables"].items():
            chain = snapshots(table)
            same([s.parent_snapshot_id for s in chain], [None, *(s.snapshot_id for s in chain[:-1])], name)
            same([s.sequence_number for s in chain], [1, 2, 3], f"{name}: sequence numbers")
    with report.check("modes.appended: sequence numbers say which run added a file"):
        table = open_table(lake["tables"]["appended"]["metadata"])
        for manifest in table.current_snapshot().manifests(table.io):
            for entry in manifest.fetch_manifest_entry(table.io):
                batch = {value // 1000 for value in rows_by_pyarrow(entry.data_file.file_path, "id")}
                same(batch, {entry.sequence_number - 1}, entry.data_file.file_path)
                same(entry.snapshot_id, snapshot_of_run(table, lake["runs"][entry.sequence_number - 1]).snapshot_id, "snapshot")


def check_months(report: Report, lake: dict) -> None:
    table = open_table(lake["tables"]["appended"]["metadata"])
    raws = raw_files(table)
    for start, end, month in (
        ("2024-02-01T00:00:00", "2024-03-01T00:00:00", (2024, 2)),
        ("1969-12-01T00:00:00", "1970-01-01T00:00:00", (1969, 12)),
    ):
        with report.check(f"modes.appended: a filter on {month} plans only that month's files"):
            filter_ = And(GreaterThanOrEqual("at", start), LessThan("at", end))
            check_month(table, raws, "at", filter_, {month})
            got = table.scan(row_filter=filter_).to_arrow()
            wanted = sum(1 for raw in raws.values() for v in raw.rows.column("at").to_pylist() if v and (v.year, v.month) == month)
            same(got.num_rows, wanted, "rows")
    with report.check("modes.appended: a filter on ids of one run plans only that run's files"):
        planned = plan(table, And(GreaterThanOrEqual("id", 1000), LessThan("id", 2000)))
        wanted = {path for path, raw in raws.items() if any(1000 <= v < 2000 for v in raw.rows.column("id").to_pylist())}
        holds(0 < len(wanted) < len(raws), "nothing to tell apart")
        same(planned, wanted, "planned files")
    for name, column in (("replaced", "region"), ("replaced", "at"), ("appended", "amount"), ("regions", "region")):
        with report.check(f"modes.{name}: pruning by {column}"):
            table = open_table(lake["tables"][name]["metadata"])
            check_pruning(table, raw_files(table), column, 6)


def snapshots(described: dict) -> list:
    return sorted(open_table(described["metadata"]).snapshots(), key=lambda s: s.sequence_number)


def rows_by_pyarrow(location: str, column: str) -> list:
    return pq.ParquetFile(path_of(location)).read([column]).column(column).to_pylist()


def read_csv(path: str, schema: pa.Schema) -> pa.Table:
    convert = csv.ConvertOptions(
        column_types=schema, include_columns=schema.names, null_values=[""], strings_can_be_null=True,
        quoted_strings_can_be_null=False, timestamp_parsers=["%Y-%m-%d %H:%M:%S.%f", csv.ISO8601],
    )  # fmt: skip
    return csv.read_csv(path, convert_options=convert)


def appended(batches: list[pa.Table]) -> pa.Table:
    return pa.concat_tables(batches)


def latest(batches: list[pa.Table]) -> pa.Table:
    return batches[-1]


def replaced(batches: list[pa.Table]) -> pa.Table:
    partitions: dict = {}
    for batch in batches:
        mine = defaultdict(list)
        for row in batch.to_pylist():
            month = None if row["at"] is None else (row["at"].year, row["at"].month)
            mine[month, row["region"]].append(row)
        partitions.update(mine)
    return pa.Table.from_pylist([row for rows in partitions.values() for row in rows], EVENTS)


def current(batches: list[pa.Table]) -> pa.Table:
    """The latest row of each sensor."""
    newest = {row["sensor"]: row for row in appended(batches).sort_by("id").to_pylist()}
    return pa.Table.from_pylist(list(newest.values()), EVENTS)


def versions(batches: list[pa.Table]) -> pa.Table:
    """The rows of each sensor at which its region changed, each with the other columns' latest values until the next."""
    by_sensor = defaultdict(list)
    for row in appended(batches).sort_by("id").to_pylist():
        mine = by_sensor[row["sensor"]]
        if mine and mine[-1]["region"] == row["region"]:
            mine[-1].update(row)
            continue
        if mine:
            mine[-1].update(valid_to=row["id"], is_current=False)
        mine.append({**row, "valid_from": row["id"], "valid_to": None, "is_current": True})
    schema = pa.schema([*EVENTS, *(pa.field(*end) for end in ENDS)])
    return pa.Table.from_pylist([row for mine in by_sensor.values() for row in mine], schema)


def regions(batches: list[pa.Table]) -> pa.Table:
    groups = defaultdict(list)
    for row in appended(batches).to_pylist():
        groups[row["region"]].append(row["amount"])
    rows = [{"region": r, "events": len(a), "amount": sum(a, Decimal("0.00"))} for r, a in groups.items()]
    schema = pa.schema([("region", pa.string()), ("events", pa.int64()), ("amount", pa.decimal128(38, 2))])
    return pa.Table.from_pylist(rows, schema)


RULES = {
    "appended": appended,
    "replaced": replaced,
    "current": current,
    "versions": versions,
    "latest": latest,
    "regions": regions,
}
