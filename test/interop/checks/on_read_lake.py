"""Keyed tables that are merged on read: after each run their rows are those of tables that are written anew."""

import pyarrow.parquet as pq
from pyiceberg.manifest import DataFileContent, ManifestContent

from data_files import path_of
from harness import Report, holds, same
from modes_lake import EVENTS, RULES, read_csv
from rows import same_rows
from tables import check_form, open_table, snapshot_of_run

DELETES = {"file_path": 2_147_483_546, "pos": 2_147_483_545}


def check_on_read(report: Report, lake: dict) -> None:
    batches = [read_csv(path, EVENTS) for path in lake["batches"]]
    for name, described in lake["tables"].items():
        table = open_table(described["metadata"])
        for n, run in enumerate(lake["runs"]):
            with report.check(f"on_read.{name}: as of run {n + 1}"):
                snapshot = snapshot_of_run(table, run)
                got = table.scan(snapshot_id=snapshot.snapshot_id).to_arrow()
                same_rows(got, RULES[name](batches[: n + 1]), "rows", "id")
                files = delete_files(table, snapshot)
                same(len(files) > 0, n > 0, "delete files")
                for data_file in files:
                    check_delete_file(table, data_file)
        with report.check(f"on_read.{name}: properties"):
            modes = {table.properties.get(f"write.{what}.mode") for what in ("merge", "update", "delete")}
            same(modes, {"merge-on-read"}, "write modes")
        check_form(report, described["metadata"], f"on_read.{name}")


def delete_files(table, snapshot) -> list:
    manifests = [m for m in snapshot.manifests(table.io) if m.content == ManifestContent.DELETES]
    return [entry.data_file for m in manifests for entry in m.fetch_manifest_entry(table.io)]


def check_delete_file(table, data_file) -> None:
    where = data_file.file_path.rsplit("/", 1)[-1]
    same(data_file.content, DataFileContent.POSITION_DELETES, f"{where}: content")
    file = pq.ParquetFile(path_of(data_file.file_path))
    ids = {f.name: int(f.metadata[b"PARQUET:field_id"]) for f in file.schema_arrow}
    same(ids, DELETES, f"{where}: field ids")
    rows = [(row["file_path"], row["pos"]) for row in file.read().to_pylist()]
    same(rows, sorted(set(rows)), f"{where}: in order, each once")
    same(data_file.record_count, len(rows), f"{where}: rows")
    path = DELETES["file_path"]
    bounds = [data_file.lower_bounds[path].decode(), data_file.upper_bounds[path].decode()]
    same(bounds, [rows[0][0], rows[-1][0]], f"{where}: bounds of the paths")
    for location in {one for one, _ in rows}:
        lengths = pq.ParquetFile(path_of(location)).metadata.num_rows
        holds(all(0 <= at < lengths for one, at in rows if one == location), f"{where}: places in {location}")
