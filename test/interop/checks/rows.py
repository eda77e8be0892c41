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


def same_rows(got: pa.Table, expected: pa.Table, what: str, key: str = "id") -> None:
    """Fails unless both have the same rows, in whatever order; the key tells rows apart."""
    if got.column_names != expected.column_names:
        raise Difference(f"{what}: got columns {got.column_names}; expected {expected.column_names}")
    if got.num_rows != expected.num_rows:
        raise Difference(f"{what}: got {got.num_rows} rows; expected {expected.num_rows}")
    got, expected = got.sort_by(key), expected.sort_by(key)
    for name in expected.column_names:
        if not quickly_equal(got.column(name), expected.column(name)):
            compare_values(got.column(name), expected.column(name), expected.column(key), f"{what}: {name} where {key} is")


def quickly_equal(got: pa.ChunkedArray, expected: pa.ChunkedArray) -> bool:
    """Arrow's own equality, where it is ours too: it takes -0.0 for 0.0 and no NaN for another."""
    if pa.types.is_nested(expected.type) or pa.types.is_floating(expected.type):
        return False
    if pa.types.is_large_string(got.type) or pa.types.is_large_binary(got.type):
        got = got.cast(expected.type)
    return got.type == expected.type and got.equals(expected)


def compare_values(got: pa.ChunkedArray, expected: pa.ChunkedArray, keys: pa.ChunkedArray, where: str) -> None:
    for key, mine, wanted in zip(keys.to_pylist(), got.to_pylist(), expected.to_pylist()):
        a, b = canonical(mine), canonical(wanted)
        if a != b or type(a) is not type(b):
            raise Difference(f"{where} {key!r}: got {brief(a)}; expected {brief(b)}")


def internal(value):
    """A value as Iceberg's transforms and bounds take it: days, microseconds, text, bytes, numbers."""
    if isinstance(value, datetime):
        return (value.replace(tzinfo=None) - EPOCH) // timedelta(microseconds=1)
    if isinstance(value, date):
        return (value - date(1970, 1, 1)).days
    return value
