"""A table to which PyIceberg added a file without field ids: Strata read from it what PyIceberg reads."""

import json
import math

from harness import Report, holds, same
from tables import open_table


def check_foreign(report: Report, lake: dict) -> None:
    with report.check("foreign: the rows of an added file are what Strata read, and went on from"):
        for metadata, read in zip(lake["metadata"], lake["rows"]):
            with open(read, encoding="utf-8") as file:
                strata = json.load(file)
            pyiceberg = open_table(metadata).scan().to_arrow().sort_by("id").to_pylist()
            same([spell(row) for row in pyiceberg], [spell(row) for row in strata], "rows")
    table = open_table(lake["metadata"][-1])
    with report.check("foreign: a filter on a text that begins with U+FEFF finds its row"):
        found = table.scan(row_filter="note == '\ufeffa'").to_arrow().to_pylist()
        same([row["id"] for row in found], [1], "ids")
    with report.check("foreign: -0.0 stays beside 0.0"):
        signs = {row["id"]: math.copysign(1, row["x"]) for row in table.scan().to_arrow().to_pylist() if row["x"] == 0}
        holds(signs == {1: -1.0, 2: -1.0, 3: 1.0, 4: 1.0, 5: -1.0}, f"signs of zeros: got {signs}")


def spell(row: dict) -> str:
    # PyIceberg makes an empty list of a null one.
    known = {name: value if value != [] else None for name, value in row.items()}
    return repr({**known, "x": float(known["x"])})
