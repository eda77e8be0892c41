"""Reads the same lakes with Java Iceberg through Spark: the strictest reader there is. Usage: spark_main.py lakes.json jar"""

import json
import sys

from pyspark.sql import DataFrame, SparkSession

from harness import Report, same


def open_spark(jar: str, more: dict[str, str] | None = None) -> SparkSession:
    settings = {
        "spark.jars": jar,
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
        "spark.sql.shuffle.partitions": "2",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        **(more or {}),
    }
    builder = SparkSession.builder.master("local[2]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


class Reader:
    def __init__(self, session: SparkSession, report: Report) -> None:
        self.session = session
        self.report = report

    def table(self, location: str, part: str = "", snapshot: str | None = None) -> DataFrame:
        options = {} if snapshot is None else {"snapshot-id": snapshot}
        return self.session.read.format("iceberg").options(**options).load(f"{location}{part}")

    def parquet(self, paths: list[str]) -> DataFrame:
        frames = [self.session.read.parquet(path) for path in paths]
        first = frames[0]
        for frame in frames[1:]:
            first = first.unionAll(frame)
        return first

    def check_rows(self, name: str, location: str, expected: DataFrame, snapshot: str | None = None) -> None:
        with self.report.check(f"spark: {name}: rows"):
            got = self.table(location, snapshot=snapshot)
            same(got.dtypes, expected.dtypes, "columns")
            same((got.exceptAll(expected).count(), expected.exceptAll(got).count()), (0, 0), "rows that differ")
        self.check_metadata(name, location)

    def check_metadata(self, name: str, location: str) -> None:
        """Java decodes every manifest, bound and partition of the table."""
        with self.report.check(f"spark: {name}: metadata"):
            files = self.table(location, "#files").selectExpr("to_json(readable_metrics)").collect()
            same(self.table(location, "#entries").where("status < 2").count(), len(files), "live entries")
            rows = self.table(location, "#partitions").selectExpr("sum(record_count - position_delete_record_count)").collect()[0][0]
            same(rows or 0, self.table(location).count(), "rows by partition")


def main() -> int:
    with open(sys.argv[1], encoding="utf-8") as file:
        lakes = json.load(file)
    report = Report()
    reader = Reader(open_spark(sys.argv[2]), report)
    sample = reader.parquet([lakes["types"]["input"]]).cache()
    for name, described in lakes["types"]["tables"].items():
        reader.check_rows(name, described["metadata"], sample)
    for name, described in lakes["generated"]["tables"].items():
        reader.check_rows(name, described["metadata"], reader.parquet(described["inputs"]))
    reader.check_rows("large", lakes["large"]["table"]["metadata"], reader.parquet([lakes["large"]["input"]]))
    for lake in ("modes", "evolving", "retail"):
        for name, described in lakes[lake]["tables"].items():
            reader.check_metadata(f"{lake}.{name}", described["metadata"])
    for name, described in lakes["merge_on_read"]["tables"].items():
        reader.check_rows(f"merge on read: {name}", described["metadata"], reader.parquet([described["rows"]]))
    for name, described in lakes["on_read"]["tables"].items():
        for at, state in enumerate(described["states"]):
            what = f"on read: {name} after run {at + 1}"
            reader.check_rows(what, described["metadata"], reader.parquet([state["rows"]]), state["snapshot"])
    reader.check_metadata("many commits", lakes["many"]["table"]["metadata"])
    reader.check_metadata("empty", lakes["types"]["empty"]["metadata"])
    with report.check("spark: evolving: a column that was int and is bigint"):
        widened = reader.table(lakes["evolving"]["tables"]["second"]["metadata"]).selectExpr("count(*)", "sum(id + 0)")
        ids = [*range(40), *range(3_000_000_000, 3_000_000_040)]
        same(tuple(widened.collect()[0]), (80, sum(ids)), "rows and sum")
    with report.check("spark: many commits: time travel"):
        for snapshot in lakes["many"]["snapshots"][::20]:
            option = {"snapshot-id": snapshot}
            reader.session.read.format("iceberg").options(**option).load(lakes["many"]["table"]["metadata"]).count()
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
