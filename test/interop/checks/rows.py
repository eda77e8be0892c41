"""Rows of an Arrow table in a form in which equal rows are equal: NaN is itself, -0.0 is not 0.0."""

import math
from datetime import date, datetime, timedelta

import pyarrow as pa

from harness import Difference, brief

EPOCH = datetime(1970, 1, 1)


def canonical(value):
    if isinstance(value, float):
        return "nan" if math.isnan(value) else repr(value)
    if isinstance(value, datetime):
        return (value.replace(tzinfo=None) - EPOCH) // timedelta(microseconds=1)
    if isinstance(value, list):
        return tuple(canonical(one) for one in value)
    if isinstance(value, dict):
        return tuple((name, canonical(one)) for name, one in value.items())
    return value


def rows_of(table: pa.Table, names: list[str], key: str = "id") -> list[tuple]:
    """Rows ordered by their key, with the named columns in that order."""
    table = table.sort_by(key)
    columns = [[canonical(value) for value in table.column(name).to_pylist()] for name in names]
    return list(zip(*columns)) if columns else []


def same_rows(got: pa.Table, expected: pa.Table, what: str, key: str = "id") -> None:
    names = expected.column_names
    if got.column_names != names:
        raise Difference(f"{what}: got columns {got.column_names}; expected {names}")
    ours, theirs = rows_of(got, names, key), rows_of(expected, names, key)
    if len(ours) != len(theirs):
        raise Difference(f"{what}: got {len(ours)} rows; expected {len(theirs)}")
    for mine, wanted in zip(ours, theirs):
        for name, a, b in zip(names, mine, wanted):
            if a != b or type(a) is not type(b):
                raise Difference(f"{what}: {name} where {key} is {wanted[names.index(key)]}: got {brief(a)}; expected {brief(b)}")


def internal(value):
    """A value as Iceberg's transforms and bounds take it: days, microseconds, text, bytes, numbers."""
    if isinstance(value, datetime):
        return (value.replace(tzinfo=None) - EPOCH) // timedelta(microseconds=1)
    if isinstance(value, date):
        return (value - date(1970, 1, 1)).days
    return value
