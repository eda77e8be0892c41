"""A history with delta-rs: python history_deltalake.py load|merge|export <input> <table>. Trusts that changes come in order."""

import shutil
import sys

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, write_deltalake

step, source, table = sys.argv[1:4]


def versions(batch):
    """Rows as open versions."""
    rows = batch.num_rows
    columns = [*batch.columns, batch.column("since"), pa.nulls(rows, pa.date32()), pa.repeat(True, rows)]
    return pa.RecordBatch.from_arrays(columns, names=[*batch.schema.names, "valid_from", "valid_to", "is_current"])


def load():
    shutil.rmtree(table, ignore_errors=True)
    file = pq.ParquetFile(source)
    first = versions(pa.RecordBatch.from_pylist([], schema=file.schema_arrow))
    batches = (versions(batch) for batch in file.iter_batches())
    write_deltalake(table, pa.RecordBatchReader.from_batches(first.schema, batches))


def merge():
    changes = pa.Table.from_batches([versions(batch) for batch in pq.ParquetFile(source).iter_batches()])
    opened = changes.append_column("op", pa.repeat("open", changes.num_rows))
    closed = changes.append_column("op", pa.repeat("close", changes.num_rows))
    merger = DeltaTable(table).merge(
        pa.concat_tables([opened, closed]),
        "t.id = s.id AND t.is_current = true AND s.op = 'close'",
        source_alias="s",
        target_alias="t",
    )
    merger = merger.when_matched_update({"valid_to": "s.valid_from", "is_current": "false"})
    merger.when_not_matched_insert({name: f"s.{name}" for name in changes.schema.names}, "s.op = 'open'").execute()


def export():
    pq.write_table(DeltaTable(table).to_pyarrow_table(), source)


{"load": load, "merge": merge, "export": export}[step]()
