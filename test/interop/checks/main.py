"""Reads with PyIceberg and pyarrow what Strata wrote, and compares it with the inputs. Usage: main.py lakes.json [--verbose]"""

import json
import sys
import warnings

from changed_columns import check_changed_columns
from evolving_lake import check_evolving
from foreign_lake import check_foreign
from generated_lake import check_generated
from harness import Report
from large_lake import check_large
from maintained_lake import check_maintained
from many_commits import check_many
from modes_lake import check_modes
from on_read_lake import check_on_read
from public_files import check_public_files
from retail_lake import check_retail
from tables import check_form
from types_lake import check_types

warnings.filterwarnings("ignore")

CHECKS = {
    "types": check_types,
    "modes": check_modes,
    "on_read": check_on_read,
    "relocated": check_modes,
    "maintained": check_maintained,
    "evolving": check_evolving,
    "changed": check_changed_columns,
    "retail": check_retail,
    "many": check_many,
    "large": check_large,
    "generated": check_generated,
    "foreign": check_foreign,
    "public": check_public_files,
}


def main() -> int:
    with open(sys.argv[1], encoding="utf-8") as file:
        lakes = json.load(file)
    report = Report()
    for name, check in CHECKS.items():
        with report.check(f"{name}: every check ran"):
            check(report, lakes[name])
        for location in lakes[name].get("others", []):
            check_form(report, location)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
