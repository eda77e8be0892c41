"""What manifests say of each data file, against the file itself as pyarrow reads it without Iceberg."""

import math
from decimal import Decimal
from urllib.parse import urlparse

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyiceberg.conversions import from_bytes
from pyiceberg.io.pyarrow import pyarrow_to_schema
from pyiceberg.types import BinaryType, ListType, StringType, StructType

from harness import holds, same
from rows import internal

KEPT = 16
WHOLE = "full"


def kept_of(table, field_id: int) -> int | None:
    """How many characters of a column's bounds a manifest keeps; None for all, which a property of the table asks for."""
    mode = table.properties.get(f"write.metadata.metrics.column.{table.schema().find_column_name(field_id)}")
    return None if mode == WHOLE else KEPT


def path_of(location: str) -> str:
    return urlparse(location).path


# Beside the table's columns, the last one says which bronze file a row comes from; no schema and no manifest has it.
BRONZE_FILE = (2_147_000_000, "__bronze_file")


class RawFile:
    """A data file: its rows as far as the table has them, its schema by field id, and its leaves in the order of the file."""

    def __init__(self, location: str) -> None:
        self.parquet = pq.ParquetFile(path_of(location))
        self.rows = self.parquet.read()
        arrow = self.parquet.schema_arrow
        if arrow.names[-1] == BRONZE_FILE[1]:
            same(pyarrow_to_schema(arrow).fields[-1].field_id, BRONZE_FILE[0], "field id of the bronze file")
            keys = pc.unique(self.rows.column(BRONZE_FILE[1])).to_pylist()
            # Null: rows that another engine wrote.
            holds(all(key is None or key.startswith("bronze/") for key in keys), f"{location}: bronze files {keys}")
            self.rows = self.rows.drop_columns([BRONZE_FILE[1]])
            arrow = arrow.remove(len(arrow.names) - 1)
        self.schema = pyarrow_to_schema(arrow)
        self.leaves = []
        for field in self.schema.fields:
            self._add_leaves(field.field_id, field.field_type, self.rows.column(field.name))

    def _add_leaves(self, field_id, field_type, values) -> None:
        if isinstance(field_type, StructType):
            for field in field_type.fields:
                self._add_leaves(field.field_id, field.field_type, None if values is None else pc.struct_field(values, field.name))
        elif isinstance(field_type, ListType):
            self._add_leaves(field_type.element_field.field_id, field_type.element_type, None)
        else:
            self.leaves.append((field_id, field_type, values))

    def column(self, field_id: int) -> list:
        field = self.schema.find_field(field_id)
        return [internal(value) for value in self.rows.column(field.name).to_pylist()]

    def footer(self, leaf: int, of) -> int:
        groups = self.parquet.metadata
        return sum(of(groups.row_group(group).column(leaf)) for group in range(groups.num_row_groups))


def check_statistics(table, file, raw: RawFile) -> None:
    where = file.file_path.rsplit("/", 1)[-1]
    same(file.record_count, raw.rows.num_rows, f"{where}: record_count")
    with open(path_of(file.file_path), "rb") as opened:
        same(file.file_size_in_bytes, opened.seek(0, 2), f"{where}: file_size_in_bytes")
    ids = sorted(leaf[0] for leaf in raw.leaves)
    same((sorted(file.column_sizes), sorted(file.value_counts)), (ids, ids), f"{where}: columns with counts")
    for at, (field_id, field_type, values) in enumerate(raw.leaves):
        what = f"{where}: column {field_id}"
        same(file.column_sizes[field_id], raw.footer(at, lambda c: c.total_compressed_size), f"{what}: size")
        same(file.value_counts[field_id], raw.footer(at, lambda c: c.num_values), f"{what}: values in the footer")
        if values is None:  # Inside a list: nothing bounds the rows.
            inside = [s for s in (file.lower_bounds, file.upper_bounds, file.null_value_counts) if field_id in s]
            same(inside, [], f"{what}: statistics in a list")
            continue
        same(file.value_counts[field_id], len(values), f"{what}: values")
        same(file.null_value_counts[field_id], values.null_count, f"{what}: nulls")
        known = values.drop_null().to_pylist()
        numbers = [v for v in known if not (isinstance(v, float) and math.isnan(v))]
        if file.nan_value_counts and field_id in file.nan_value_counts:
            same(file.nan_value_counts[field_id], len(known) - len(numbers), f"{what}: NaNs")
        # DuckDB reports no bounds where a row group has only nulls and NaN: a file more to read, no row lost.
        bounded = field_id in file.lower_bounds or field_id in file.upper_bounds
        if bounded or len(numbers) == len(values) or raw.parquet.metadata.num_row_groups == 1:
            check_bounds(file, field_id, field_type, [internal(v) for v in numbers], kept_of(table, field_id), what)


def check_bounds(file, field_id, field_type, values, kept: int | None, what: str) -> None:
    lower, upper = file.lower_bounds.get(field_id), file.upper_bounds.get(field_id)
    if not values:
        same((lower, upper), (None, None), f"{what}: bounds of no values")
        return
    least, most = min(values), max(values)
    holds(lower is not None, f"{what}: no lower bound; expected one of {least!r}")
    low = from_bytes(field_type, lower)
    if isinstance(field_type, (StringType, BinaryType)):
        same(low, least[:kept], f"{what}: lower bound")
        if kept is None or len(most) <= kept:
            same(None if upper is None else from_bytes(field_type, upper), most, f"{what}: upper bound")
        elif upper is not None:
            high = from_bytes(field_type, upper)
            holds(high >= most and len(high) <= kept, f"{what}: upper bound {high!r} does not bound {most!r} in {kept}")
            holds(high == raised(most[: len(high)]), f"{what}: upper bound {high!r} is looser than {most!r} needs")
        else:
            highest = "\U0010ffff" if isinstance(field_type, StringType) else b"\xff"
            same(most[:kept], highest * kept, f"{what}: no upper bound, though one is possible")
        return
    high = from_bytes(field_type, upper)
    same((low, high), (least, most), f"{what}: bounds")
    if isinstance(low, Decimal):
        same((low.as_tuple().exponent, high.as_tuple().exponent), (-field_type.scale,) * 2, f"{what}: scale of bounds")


def raised(value):
    """The next text or bytes of the same length: surrogates are no code points."""
    if isinstance(value, bytes):
        return value[:-1] + bytes([value[-1] + 1])
    return value[:-1] + ("\ue000" if value[-1] == "\ud7ff" else chr(ord(value[-1]) + 1))


def check_partition(file, raw: RawFile, spec, schema) -> None:
    """All rows of the file have the file's partition, by PyIceberg's own transforms."""
    for at, field in enumerate(spec.fields):
        source = schema.find_field(field.source_id)
        transform = field.transform.transform(source.field_type)
        found = {transform(value) for value in raw.column(field.source_id)}
        same(found, {internal(file.partition[at])}, f"{file.file_path}: partition {field.name}")


def check_field_ids(raw: RawFile, schema, schemas) -> None:
    """The file's field ids are the table's, nested ones too; a column has the name of one of the table's schemas."""
    for field in raw.schema.fields:
        table = schema.find_field(field.field_id)
        names = {f.name for one in schemas for f in one.fields if f.field_id == field.field_id}
        holds(field.name in names, f"column {field.field_id} of the file: got {field.name!r}; expected one of {names}")
        if isinstance(field.field_type, (StructType, ListType)):
            same(str(field.field_type), str(table.field_type), f"column {field.field_id} of the file: type")
