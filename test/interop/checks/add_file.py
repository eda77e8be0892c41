"""Adds a Parquet file without field ids to a table in a folder, as it is. Usage: add_file.py metadata.json file.parquet"""

import re
import sys

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog.noop import NoopCatalog
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.serializers import FromInputFile, ToOutputFile
from pyiceberg.table import CommitTableResponse, Table
from pyiceberg.table.update import update_table_metadata

TAG = pa.struct([("k", pa.string()), ("v", pa.int32())])
ROWS = pa.table(
    {
        "id": pa.array([2, 3], pa.int64()),
        "kind": ["a", "a"],
        "note": ["added", None],
        "x": [-0.0, 0.0],
        "tags": pa.array([[{"k": "y", "v": 7}, None], None], pa.list_(TAG)),
    }
)


class FolderCatalog(NoopCatalog):
    """Commits as Iceberg's file system tables do: the next version beside the last."""

    def commit_table(self, table, requirements, updates):
        for requirement in requirements:
            requirement.validate(table.metadata)
        metadata = update_table_metadata(table.metadata, updates)
        location = re.sub(r"/v(\d+)\.", lambda found: f"/v{int(found[1]) + 1}.", table.metadata_location)
        ToOutputFile.table_metadata(metadata, table.io.new_output(location))
        return CommitTableResponse(metadata=metadata, **{"metadata-location": location})


def main() -> None:
    location, file = sys.argv[1:]
    io = PyArrowFileIO()
    with io.new_output(file).create() as out:
        pq.write_table(ROWS, out)
    metadata = FromInputFile.table_metadata(io.new_input(location))
    Table(("foreign", "orders"), metadata, location, io, FolderCatalog("folder")).add_files([file])


if __name__ == "__main__":
    main()
