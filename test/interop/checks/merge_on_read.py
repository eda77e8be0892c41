"""Changes tables of a lake as Spark does that merges on read. Usage: merge_on_read.py warehouse out jar"""

import sys

from spark_main import open_spark

EXTENSIONS = "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"
MODES = ", ".join(f"'write.{verb}.mode' = 'merge-on-read'" for verb in ("delete", "update", "merge"))
CHANGES = {
    "appended": [
        "DELETE FROM {table} WHERE id % 5 = 0",
        "UPDATE {table} SET region = 'west' WHERE id % 7 = 1",
        "ALTER TABLE {table} SET TBLPROPERTIES ('write.delete.granularity' = 'partition')",
        "DELETE FROM {table} WHERE id % 11 = 2",
    ],
    "versions": ["DELETE FROM {table} WHERE sensor % 4 = 3"],
    "versions__log": ["DELETE FROM {table} WHERE sensor % 4 = 3"],
}


def main() -> int:
    warehouse, out, jar = sys.argv[1:4]
    session = open_spark(
        jar,
        {
            "spark.sql.extensions": EXTENSIONS,
            "spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog",
            "spark.sql.catalog.lake.type": "hadoop",
            "spark.sql.catalog.lake.warehouse": warehouse,
        },
    )
    for name, statements in CHANGES.items():
        table = f"lake.modes.{name}"
        session.sql(f"ALTER TABLE {table} SET TBLPROPERTIES ({MODES})")
        for statement in statements:
            session.sql(statement.format(table=table))
        deletes = session.sql(f"SELECT count(*) FROM {table}.delete_files").collect()[0][0]
        if deletes == 0:
            raise AssertionError(f"{name}: Spark wrote no delete files")
        session.table(table).write.parquet(f"{out}/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
