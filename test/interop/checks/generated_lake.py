"""Tables of random shapes and rows, one for every transform over every type."""

import pyarrow as pa
import pyarrow.parquet as pq

from harness import Report
from pruning import check_pruning
from tables import check_table


def check_generated(report: Report, lake: dict) -> None:
    for name, described in lake["tables"].items():
        expected = pa.concat_tables(pq.read_table(path) for path in described["inputs"])
        label = f"generated (seed {lake['seed']}) {name}"
        table, raws = check_table(report, label, described, expected)
        for field in described["partition"]:
            with report.check(f"{label}: pruning by {field['column']}"):
                check_pruning(table, raws, field["column"], 4)
