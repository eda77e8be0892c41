"""A table of more commits than manifests are left alone for and more than metadata files are kept for."""

from collections import defaultdict

import pyarrow as pa
import pyarrow.parquet as pq

from data_files import path_of
from harness import Report, holds, same
from rows import same_rows
from tables import check_table

KEPT_METADATA_FILES = 100


def check_many(report: Report, lake: dict) -> None:
    rows = pq.read_table(lake["input"])
    table, _ = check_table(report, "many commits", lake["table"], after(rows, len(lake["snapshots"]), lake["replaces"]))
    commits = len(lake["snapshots"])
    with report.check("many commits: every snapshot is there, in order"):
        chain = sorted(table.snapshots(), key=lambda s: s.sequence_number)
        same([str(s.snapshot_id) for s in chain], lake["snapshots"], "snapshots")
        same([s.sequence_number for s in chain], list(range(1, commits + 1)), "sequence numbers")
        same([entry.snapshot_id for entry in table.history()], [s.snapshot_id for s in chain], "history")
    with report.check("many commits: old metadata files are forgotten"):
        log = [entry.metadata_file for entry in table.metadata.metadata_log]
        same(len(log), min(commits - 1, KEPT_METADATA_FILES), "metadata log")
        holds(log[-1] != lake["table"]["metadata"], "the log holds what came before")
    with report.check("many commits: manifests were merged"):
        manifests = table.current_snapshot().manifests(table.io)
        holds(len(manifests) < commits / 2, f"{len(manifests)} manifests after {commits} commits")
        holds(any(m.existing_files_count for m in manifests), "no manifest has files of an earlier snapshot")
    with report.check("many commits: a file keeps the snapshot and sequence number it came with"):
        for manifest in table.current_snapshot().manifests(table.io):
            for entry in manifest.fetch_manifest_entry(table.io):
                of = pq.ParquetFile(path_of(entry.data_file.file_path)).read(["commit"]).column("commit").to_pylist()
                got = (str(entry.snapshot_id), entry.sequence_number, entry.file_sequence_number)
                same({got}, {(lake["snapshots"][c - 1], c, c) for c in of}, entry.data_file.file_path)
    for commit in (1, 9, 10, 21, 60, 61, 100, 129):
        with report.check(f"many commits: as of commit {commit}"):
            got = table.scan(snapshot_id=int(lake["snapshots"][commit - 1])).to_arrow()
            same_rows(got, after(rows, commit, lake["replaces"]), "rows")


def after(rows: pa.Table, commits: int, replaces: int) -> pa.Table:
    """The rows after so many commits: some of them replace the months that they have rows in."""
    months = defaultdict(list)
    for row in rows.sort_by("commit").to_pylist():
        if row["commit"] > commits:
            continue
        key = (row["on"].year, row["on"].month)
        if row["commit"] > 1 and row["commit"] % replaces == 0:
            months[key] = [other for other in months[key] if other["commit"] == row["commit"]]
        months[key].append(row)
    return pa.Table.from_pylist([row for month in months.values() for row in month], rows.schema)
