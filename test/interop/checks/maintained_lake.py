"""The lake of all modes after maintenance: what stays is what it was, and nothing else is there."""

from pathlib import Path

from data_files import path_of
from harness import Report, same
from modes_lake import EVENTS, RULES, read_csv
from rows import same_rows
from tables import check_table

NAMED = {"appended": {"first"}}


def check_maintained(report: Report, lake: dict) -> None:
    batches = [read_csv(path, EVENTS) for path in lake["batches"]]
    for name, described in lake["tables"].items():
        described = {**described, "key": "region" if name == "regions" else "id"}
        # One table went back by a run.
        expected = RULES[name](batches[:2] if name == "appended" else batches)
        table, _ = check_table(report, f"maintained.{name}", described, expected)
        with report.check(f"maintained.{name}: what has no name has gone"):
            same({ref for ref in table.refs() if ref != "main"}, NAMED.get(name, set()), "names")
            same(len(table.snapshots()), 1 + len(NAMED.get(name, set())), "snapshots")
            log = [entry.snapshot_id for entry in table.history()]
            same(log, [table.current_snapshot().snapshot_id], "the log has no gap")
        with report.check(f"maintained.{name}: files are those that snapshots name"):
            check_folder(table)
        for ref in NAMED.get(name, set()):
            with report.check(f"maintained.{name}: as of {ref}"):
                got = table.scan(snapshot_id=table.snapshot_by_name(ref).snapshot_id).to_arrow()
                same_rows(got, RULES[name](batches[:1]), "rows", described["key"])


def check_folder(table) -> None:
    named = set()
    for snapshot in table.snapshots():
        named.add(path_of(snapshot.manifest_list))
        for manifest in snapshot.manifests(table.io):
            named.add(path_of(manifest.manifest_path))
            for entry in manifest.fetch_manifest_entry(table.io):
                named.add(path_of(entry.data_file.file_path))
    folder = Path(path_of(table.location()))
    there = {str(path) for path in folder.rglob("*") if path.suffix in (".parquet", ".avro")}
    same(there, {str(path) for path in named}, "files")
