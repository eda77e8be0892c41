"""Checks the form of tables with PyIceberg and pyarrow, one after the other."""

import warnings

from harness import Difference, Report
from peer import answer_all
from tables import check_form

warnings.filterwarnings("ignore")


def answer(request: dict) -> dict:
    report = Report()
    check_form(report, request["metadata"], request["name"])
    if report.failed > 0:
        raise Difference(f"{report.failed} checks failed, see above")
    return {"passed": report.passed}


if __name__ == "__main__":
    answer_all(answer)
