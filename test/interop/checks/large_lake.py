"""A file of several row groups: its statistics are those of all its rows."""

import pyarrow.parquet as pq

from harness import Report, holds
from tables import check_table


def check_large(report: Report, lake: dict) -> None:
    _, raws = check_table(report, "large", lake["table"], pq.read_table(lake["input"]))
    with report.check("large: more row groups than files"):
        groups = sum(raw.parquet.metadata.num_row_groups for raw in raws.values())
        holds(groups > len(raws), f"{groups} row groups in {len(raws)} files")
