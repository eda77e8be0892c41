"""A history with DuckLake: python history_ducklake.py load|merge|export <input> <folder>. Trusts that changes come in order."""

import shutil
import sys
from pathlib import Path

import duckdb
import duckdb_extension_ducklake

step, source, folder = sys.argv[1:4]
if step == "load":
    shutil.rmtree(folder, ignore_errors=True)
Path(folder).mkdir(parents=True, exist_ok=True)
db = duckdb.connect(config={"allow_unsigned_extensions": "true"})
EXTENSION = next(Path(duckdb_extension_ducklake.__file__).parent.rglob("*.duckdb_extension"))
db.execute(f"LOAD '{EXTENSION}'")
db.execute(f"ATTACH 'ducklake:{folder}/catalog.ducklake' AS lake (DATA_PATH '{folder}/data')")

OPEN = f"SELECT *, since AS valid_from, CAST(NULL AS DATE) AS valid_to, true AS is_current FROM read_parquet('{source}')"


def load():
    db.execute(f"CREATE TABLE lake.history AS {OPEN}")


def merge():
    db.execute("BEGIN")
    db.execute(
        f"UPDATE lake.history h SET valid_to = c.since, is_current = false FROM read_parquet('{source}') c "
        "WHERE h.id = c.id AND h.is_current"
    )
    db.execute(f"INSERT INTO lake.history {OPEN}")
    db.execute("COMMIT")


def export():
    db.execute(f"COPY lake.history TO '{source}' (FORMAT parquet)")


{"load": load, "merge": merge, "export": export}[step]()
