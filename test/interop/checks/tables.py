"""Everything that holds for any table of ours, whatever is in it."""

from collections import Counter

import pyarrow as pa
from pyiceberg.conversions import from_bytes
from pyiceberg.io.pyarrow import _pyarrow_to_schema_without_ids
from pyiceberg.manifest import ManifestContent, ManifestEntryStatus
from pyiceberg.schema import assign_fresh_schema_ids
from pyiceberg.table import StaticTable
from pyiceberg.types import NestedField, StructType

from data_files import RawFile, check_field_ids, check_partition, check_statistics
from harness import Report, holds, same
from rows import internal, same_rows


def open_table(metadata_location: str) -> StaticTable:
    return StaticTable.from_metadata(metadata_location)


def raw_files(table) -> dict[str, RawFile]:
    return {task.file.file_path: RawFile(task.file.file_path) for task in table.scan().plan_files()}


def snapshot_of_run(table, run: str):
    """The snapshot whose summary names the run."""
    found = [s for s in table.snapshots() if s.summary["strata.run_id"] == run]
    same(len(found), 1, f"snapshots of run {run}")
    return found[0]


def check_table(report: Report, name: str, described: dict, expected: pa.Table) -> tuple:
    """Checks a table against the rows that it should have; `described` is what was declared."""
    table = open_table(described["metadata"])
    raws = raw_files(table)
    key = described.get("key", "id")
    with report.check(f"{name}: rows"):
        same_rows(foldable(table.scan().to_arrow()), foldable(expected), "rows by PyIceberg", key)
        if raws and described.get("fresh_ids", True):
            same_rows(pa.concat_tables(raw.rows for raw in raws.values()), expected, "rows by pyarrow", key)
    with report.check(f"{name}: schema and field ids"):
        check_schema(table, expected, described.get("fresh_ids", True))
    with report.check(f"{name}: partition spec"):
        check_spec(table, described["partition"])
    with report.check(f"{name}: rows in the summary"):
        snapshot = table.current_snapshot()
        same(0 if snapshot is None else int(snapshot.summary["total-records"]), expected.num_rows, "total-records")
    check_form(report, described["metadata"], name)
    return table, raws


def check_form(report: Report, metadata_location: str, name: str | None = None) -> None:
    """What holds whatever rows a table has: its files, manifests and summaries agree."""
    table = open_table(metadata_location)
    name = name or "/".join(metadata_location.split("/")[-5:-2])
    raws = raw_files(table)
    files = {task.file.file_path: task.file for task in table.scan().plan_files()}
    with report.check(f"{name}: field ids of every file"):
        for raw in raws.values():
            check_field_ids(raw, table.schema(), table.schemas().values())
    with report.check(f"{name}: partition of every file"):
        for path, file in files.items():
            check_partition(file, raws[path], table.specs()[file.spec_id], table.schema())
    with report.check(f"{name}: statistics of every file"):
        for path, file in files.items():
            check_statistics(table, file, raws[path])
    with report.check(f"{name}: manifest list"):
        check_manifests(table)
    with report.check(f"{name}: snapshot summary"):
        check_summary(table, files)


def foldable(table: pa.Table) -> pa.Table:
    """PyIceberg 0.12 reads null lists in and of nested values as empty ones, so here both are empty."""
    for at, field in enumerate(table.schema):
        if pa.types.is_struct(field.type) or (is_list(field.type) and pa.types.is_nested(field.type.value_type)):
            values = [fold(value, field.type) for value in table.column(at).to_pylist()]
            table = table.set_column(at, field.name, pa.array(values, field.type))
    return table


def fold(value, type_: pa.DataType):
    if is_list(type_):
        return [fold(element, type_.value_type) for element in value or []]
    if pa.types.is_struct(type_) and value is not None:
        return {field.name: fold(value[field.name], field.type) for field in type_}
    return value


def is_list(type_: pa.DataType) -> bool:
    return pa.types.is_list(type_) or pa.types.is_large_list(type_)


def check_schema(table, expected: pa.Table, fresh_ids: bool) -> None:
    """Types and names follow from the data; ids are those that Java's assignment gives to a new table."""
    wanted = assign_fresh_schema_ids(_pyarrow_to_schema_without_ids(expected.schema))
    got = table.schema()
    same([f.name for f in got.fields], [f.name for f in wanted.fields], "column names")
    if fresh_ids:
        same(str(got), str(wanted), "schema")
    else:
        same([str(f.field_type) for f in got.fields], [str(f.field_type) for f in wanted.fields], "column types")
    ids = [field_id for field_id in all_ids(got.as_struct())]
    same(len(ids), len(set(ids)), "field ids are unique")
    same(table.metadata.last_column_id >= max(ids), True, "last-column-id")


def all_ids(struct: StructType):
    for field in struct.fields:
        yield from field_ids(field)


def field_ids(field: NestedField):
    yield field.field_id
    if isinstance(field.field_type, StructType):
        yield from all_ids(field.field_type)
    elif hasattr(field.field_type, "element_field"):
        yield from field_ids(field.field_type.element_field)


def check_spec(table, declared: list[dict]) -> None:
    names = {field.field_id: field.name for field in table.schema().fields}
    got = [{"column": names[f.source_id], "transform": str(f.transform)} for f in table.spec().fields]
    same(got, declared, "partition fields")
    ids = [field.field_id for field in table.spec().fields]
    holds(all(i >= 1000 for i in ids) and len(set(ids)) == len(ids), f"partition field ids: got {ids}")


def check_manifests(table) -> None:
    snapshot = table.current_snapshot()
    if snapshot is None:
        return
    for manifest in snapshot.manifests(table.io):
        entries = manifest.fetch_manifest_entry(table.io, discard_deleted=False)
        found = Counter()
        for entry in entries:
            found[entry.status, "files"] += 1
            found[entry.status, "rows"] += entry.data_file.record_count
        counts = {
            ManifestEntryStatus.ADDED: (manifest.added_files_count, manifest.added_rows_count),
            ManifestEntryStatus.EXISTING: (manifest.existing_files_count, manifest.existing_rows_count),
            ManifestEntryStatus.DELETED: (manifest.deleted_files_count, manifest.deleted_rows_count),
        }
        for status, wanted in counts.items():
            same((found[status, "files"], found[status, "rows"]), wanted, f"{status} in {manifest.manifest_path}")
        live = [e.sequence_number for e in entries if e.status != ManifestEntryStatus.DELETED]
        same(manifest.min_sequence_number, min(live, default=manifest.sequence_number), "min_sequence_number")
        check_partition_summaries(table, manifest, entries)


def check_partition_summaries(table, manifest, entries) -> None:
    spec = table.specs()[manifest.partition_spec_id]
    same(len(manifest.partitions or []), len(spec.fields), "partition summaries")
    for at, field in enumerate(spec.fields):
        source = table.schema().find_field(field.source_id).field_type
        result = field.transform.result_type(source)
        values = [internal(entry.data_file.partition[at]) for entry in entries]
        known = [value for value in values if value is not None]
        summary = manifest.partitions[at]
        bounds = [None if b is None else from_bytes(result, b) for b in (summary.lower_bound, summary.upper_bound)]
        wanted = [min(known), max(known)] if known else [None, None]
        same((summary.contains_null, bounds), (None in values, wanted), f"summary of {field.name}")


def check_summary(table, files: dict) -> None:
    snapshot = table.current_snapshot()
    if snapshot is None:
        same(files, {}, "files of a table without a snapshot")
        return
    manifests = [m for m in snapshot.manifests(table.io) if m.content == ManifestContent.DELETES]
    deletes = [entry.data_file for m in manifests for entry in m.fetch_manifest_entry(table.io)]
    totals = {
        "total-records": sum(file.record_count for file in files.values()),
        "total-data-files": len(files),
        "total-files-size": sum(file.file_size_in_bytes for file in [*files.values(), *deletes]),
        "total-delete-files": len(deletes),
        "total-position-deletes": sum(file.record_count for file in deletes),
    }
    same({key: int(snapshot.summary[key]) for key in totals}, totals, "totals")
