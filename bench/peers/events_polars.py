"""Events with Polars, bad rows kept with their line: python events_polars.py <input> <output> <hash | plain>."""

import sys
from pathlib import Path

import polars as pl

source, out, result = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
TYPES = {
    "event_id": pl.Int64,
    "event_ts": pl.Datetime,
    "device_id": pl.Int32,
    "kind": pl.String,
    "session": pl.String,
    "quantity": pl.Int32,
    "price": pl.Decimal(10, 2),
    "score": pl.Float64,
}
text = pl.read_csv(source / "events.csv", schema=dict.fromkeys(TYPES, pl.String)).with_row_index("line", 2)
if result == "hash":
    import polars_hash as plh

    parts = [
        pl.when(pl.col(name).is_null())
        .then(pl.lit("N;"))
        .otherwise(pl.format("V{}:{};", pl.col(name).str.len_bytes(), pl.col(name)))
        for name in TYPES
    ]
    text = text.with_columns(canonical=pl.concat_str(parts))
    text = text.with_columns(row_hash=plh.col("canonical").chash.sha2_256()).drop("canonical")


def cast(name: str, to: pl.DataType) -> pl.Expr:
    if to == pl.Datetime:
        return pl.col(name).str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False)
    return pl.col(name).cast(to, strict=False)


typed = text.select("line", *(["row_hash"] if result == "hash" else []), *(cast(name, to) for name, to in TYPES.items()))
lost = [typed[name].is_null() & text[name].is_not_null() for name in TYPES]
needed = [typed[name].is_null() for name in ("event_id", "event_ts", "device_id", "kind")]
limits = [typed["event_id"] < 1, typed["device_id"] < 1, typed["price"] < 0]
limits += [~typed["quantity"].is_between(0, 1000)]
bad = pl.select(pl.any_horizontal(*(one.fill_null(False) for one in lost + needed + limits))).to_series()
text.filter(bad).write_parquet(out / "ops.quarantine.parquet", compression="zstd")
good = typed.filter(~bad).drop("line")
months = good.with_columns(m=pl.col("event_ts").dt.truncate("1mo"))
for (month,), part in months.partition_by("m", as_dict=True, include_key=False).items():
    folder = out / "silver.events" / f"m={month:%Y-%m}"
    folder.mkdir(parents=True)
    part.write_parquet(folder / "0.parquet", compression="zstd")
