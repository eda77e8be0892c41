"""Runs statements in Spark on the tables of a lake, and writes what it reads from them. Usage: spark_peer.py warehouse jar"""

import sys

from peer import answer_all
from spark_main import open_spark

EXTENSIONS = "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"


def main() -> None:
    warehouse, jar = sys.argv[1:3]
    session = open_spark(
        jar,
        {
            "spark.sql.extensions": EXTENSIONS,
            "spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog",
            "spark.sql.catalog.lake.type": "hadoop",
            "spark.sql.catalog.lake.warehouse": warehouse,
            "spark.sql.catalog.lake.cache-enabled": "false",
        },
    )

    def answer(request: dict) -> dict:
        if "sql" in request:
            return {"rows": [row.asDict() for row in session.sql(request["sql"]).limit(20).collect()]}
        session.table(request["table"]).coalesce(1).write.parquet(request["to"])
        return {}

    answer_all(answer)


if __name__ == "__main__":
    main()
