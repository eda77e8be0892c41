"""One table for every transform over every type, all written by one run from one file."""

import pyarrow.parquet as pq

from harness import Report, holds, same
from pruning import check_pruning
from tables import check_form, check_table, open_table, raw_files

FLAT = "c_boolean c_int c_bigint c_float c_double c_decimal9 c_decimal18 c_decimal38 c_date c_timestamp c_timestamptz c_string c_binary".split()


def check_types(report: Report, lake: dict) -> None:
    expected = pq.read_table(lake["input"])
    for name, described in lake["tables"].items():
        table, raws = check_table(report, name, described, expected)
        columns = [field["column"] for field in described["partition"]]
        for column in columns:
            with report.check(f"{name}: pruning by {column}"):
                pruned = check_pruning(table, raws, column, 6)
                holds(pruned > 0, f"no filter on {column} left a file out")
    with report.check("a table without rows"):
        empty = open_table(lake["empty"]["metadata"])
        same((empty.scan().to_arrow().num_rows, list(empty.scan().plan_files())), (0, []), "rows and files")
        same([str(f.field_type) for f in empty.schema().fields], ["long", "string", "timestamp"], "column types")
    check_form(report, lake["empty"]["metadata"])
    # Files of a few rows each, in no order that favours a column: bounds alone decide.
    table = open_table(lake["tables"]["by_identity_int"]["metadata"])
    raws = raw_files(table)
    for column in FLAT:
        with report.check(f"column bounds: pruning by {column}"):
            check_pruning(table, raws, column, 8)
