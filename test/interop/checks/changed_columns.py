"""A plain and a keyed table whose columns came, were renamed, went and took another type, read at each of their snapshots."""

from harness import Report, same
from tables import check_form, open_table, snapshot_of_run

LOG_COLUMNS = {"_op", "_event_hash", "_source_file"}
SAME_COLUMNS = (("id", "id"), ("q", "q"), ("v", "value"), ("region", "area"))


def check_changed_columns(report: Report, lake: dict) -> None:
    moments = lake["moments"]
    for name, location in moments[-1]["metadata"].items():
        last = open_table(location)
        for at, moment in enumerate(moments):
            expected = moment["rows"][name]
            snapshot = snapshot_of_run(last, moment["run"])
            with report.check(f"changed columns: {name}: snapshot {at} of the last metadata"):
                check_rows(last.scan(snapshot_id=snapshot.snapshot_id), expected)
            with report.check(f"changed columns: {name}: what was current after run {at}"):
                then = open_table(moment["metadata"][name])
                same(then.current_snapshot().snapshot_id, snapshot.snapshot_id, "current snapshot")
                check_rows(then.scan(), expected)
            check_form(report, moment["metadata"][name], f"changed columns: {name} after run {at}")
        with report.check(f"changed columns: {name}: ids follow names, and another type has another"):
            check_ids([open_table(moment["metadata"][name]) for moment in moments])


def check_rows(scan, expected: list[dict]) -> None:
    table = scan.to_arrow()
    names = set(table.column_names) - LOG_COLUMNS
    same(names, set(expected[0]), "columns")
    rows = [{key: value for key, value in row.items() if key in names} for row in table.to_pylist()]
    same(ordered(rows), ordered(expected), "rows")


def ordered(rows: list[dict]) -> list:
    return sorted((sorted(row.items()) for row in rows), key=lambda row: str(row))


def check_ids(tables: list) -> None:
    ids = [{field.name: field.field_id for field in table.schema().fields} for table in tables]
    first, renamed, retyped = ids[0], ids[2], ids[4]
    for before, now in SAME_COLUMNS:
        same(renamed[now], first[before], f"id of {before}, now {now}")
    same([retyped[now] for now in ("id", "q", "area")], [first[was] for was in ("id", "q", "region")], "ids that stay")
    same(retyped["value"] > max(max(one.values()) for one in ids[:4]), True, "the id of another type is new")
    same(ids[5], retyped, "ids after the last run")
