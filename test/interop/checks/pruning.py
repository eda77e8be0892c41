"""Which files a filter plans: all that hold a matching row, and none that the statistics exclude."""

import math
import operator
from datetime import date

from pyiceberg.expressions import (
    EqualTo,
    GreaterThan,
    GreaterThanOrEqual,
    IsNaN,
    IsNull,
    LessThan,
    LessThanOrEqual,
    NotEqualTo,
    NotNull,
    StartsWith,
)
from pyiceberg.transforms import BucketTransform, IdentityTransform
from pyiceberg.types import FloatType

from data_files import KEPT, RawFile
from harness import Difference, holds, same
from rows import internal

COMPARISONS = {
    "==": (EqualTo, operator.eq),
    "<": (LessThan, operator.lt),
    "<=": (LessThanOrEqual, operator.le),
    ">": (GreaterThan, operator.gt),
    ">=": (GreaterThanOrEqual, operator.ge),
}


def check_pruning(table, raws: dict[str, RawFile], column: str, most_values: int) -> int:
    """Plans a filter for values of a column and answers how many filters left files out."""
    field = table.schema().find_field(column)
    files = {path: [internal(v) for v in raw.rows.column(column).to_pylist()] for path, raw in raws.items()}
    partitions = {task.file.file_path: partition_by_source(table, task.file) for task in table.scan().plan_files()}
    same(set(partitions), set(files), "files of the whole table")
    pruned = 0
    for shown, value in distinct(raws, column, most_values):
        for name, (expression, compare) in COMPARISONS.items():
            if beyond_pyiceberg(name, shown, field):
                continue
            planned = plan(table, expression(column, shown))
            for path, values in files.items():
                wanted = may_match(name, values, value, field, partitions[path].get(field.field_id))
                matches = any(v is not None and compare(v, value) for v in values)
                what = f"{column} {name} {shown!r}: {path}"
                holds(path in planned or not matches, f"{what} is left out and has matching rows")
                holds(path not in planned or wanted, f"{what} is planned, which its statistics exclude")
            pruned += len(planned) < len(files)
        holds(has(files, plan(table, NotEqualTo(column, shown)), lambda v: v is not None and v != value), f"{column} != {shown!r}")
        if isinstance(value, str) and value != "":
            prefix = value[:3]
            starts = plan(table, StartsWith(column, prefix))
            holds(has(files, starts, lambda v: v is not None and v.startswith(prefix)), f"{column} starts with {prefix!r}")
    nulls = {path for path, values in files.items() if None in values}
    same(plan(table, IsNull(column)), nulls, f"files planned for {column} is null")
    same(plan(table, NotNull(column)), {p for p, vs in files.items() if any(v is not None for v in vs)}, f"{column} not null")
    if any(isinstance(v, float) for values in files.values() for v in values):
        holds(has(files, plan(table, IsNaN(column)), lambda v: v is not None and math.isnan(v)), f"{column} is NaN")
    return pruned


def partition_by_source(table, file) -> dict:
    """Source column -> transform and the file's value of it."""
    fields = table.specs()[file.spec_id].fields
    return {field.source_id: (field.transform, file.partition[at]) for at, field in enumerate(fields)}


def beyond_pyiceberg(name: str, shown, field) -> bool:
    """Filters that PyIceberg 0.12 itself gets wrong or refuses, whoever wrote the table."""
    if isinstance(shown, bool):
        return name != "=="
    if isinstance(shown, float) and isinstance(field.field_type, FloatType):
        return math.isinf(shown)  # Taken for a double that no float can equal.
    return isinstance(shown, date) and shown.year in (1, 9999)  # Goes beyond the days that Python knows.


def plan(table, row_filter) -> set[str]:
    return {task.file.file_path for task in table.scan(row_filter=row_filter).plan_files()}


def has(files, planned, matches) -> bool:
    return all(path in planned for path, values in files.items() if any(matches(value) for value in values))


def distinct(raws, column: str, most: int) -> list[tuple]:
    """Values of the column, as Python has them and as Iceberg has them, spread over all there are."""
    found = {}
    for raw in raws.values():
        for shown in raw.rows.column(column).to_pylist():
            if shown is not None and not (isinstance(shown, float) and math.isnan(shown)):
                found[internal(shown)] = shown
    ordered = sorted(found)
    step = max(1, len(ordered) // most)
    return [(found[value], value) for value in ordered[::step]]


def may_match(name: str, values: list, value, field, partition) -> bool:
    """Whether counts, bounds and the partition leave it open that a row of the file matches."""
    known = [v for v in values if v is not None]
    numbers = [v for v in known if not (isinstance(v, float) and math.isnan(v))]
    if not known:
        return False
    if not numbers:
        return True  # NaN has no bounds, and NaN counts are not kept.
    least, most = min(numbers), max(numbers)
    if partition is not None and name == "==":
        transform, own = partition
        if isinstance(transform, (BucketTransform, IdentityTransform)):
            if transform.transform(field.field_type)(value) != internal(own):
                return False
    if isinstance(value, (str, bytes)):
        # Bounds are cut, the filter's value is not: what lies between a cut bound and the real one cannot be told apart.
        least = least[:KEPT]
        if len(most) > KEPT and most <= value and value[:KEPT] <= most[:KEPT]:
            return True
    if name == "==":
        return least <= value <= most
    return COMPARISONS[name][1](least if name in ("<", "<=") else most, value)


def check_month(table, raws: dict[str, RawFile], column: str, row_filter, months: set) -> None:
    """A filter on one month plans that month's files and no others."""
    wanted = {
        path
        for path, raw in raws.items()
        if any(v is not None and (v.year, v.month) in months for v in raw.rows.column(column).to_pylist())
    }
    if not wanted or len(wanted) == len(raws):
        raise Difference(f"{len(wanted)} of {len(raws)} files hold {months}: nothing to tell apart")
    same(plan(table, row_filter), wanted, f"files planned for {column} in {months}")

