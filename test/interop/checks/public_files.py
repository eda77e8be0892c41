"""Parquet files that others wrote, landed as they are: their table has their rows, by pyarrow on both sides."""

from collections import Counter

import pyarrow.parquet as pq

from harness import Report, holds, same
from rows import canonical
from tables import check_form, open_table


def check_public_files(report: Report, lake: dict) -> None:
    for taken in lake["files"]:
        name = taken["input"].split("/")[-1]
        with report.check(f"{name}: its rows"):
            expected = pq.read_table(taken["input"])
            got = open_table(taken["table"]["metadata"]).scan().to_arrow()
            holds(expected.num_rows > 0, "the file has rows")
            renamed = taken["columns"]
            same(rows_of(got, renamed.values()), rows_of(expected, renamed.keys()), "rows")
        check_form(report, taken["table"]["metadata"])


def rows_of(table, columns) -> Counter:
    return Counter(zip(*([canonical(value) for value in table.column(name).to_pylist()] for name in columns)))
