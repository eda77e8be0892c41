"""Clicks with Polars, rows that do not fit kept: python clicks_polars.py <input> <output>."""

import sys
from pathlib import Path

import polars as pl

source, out = Path(sys.argv[1]), Path(sys.argv[2])
TYPES = {"id": pl.Int64, "account": pl.Int32, "clicked": pl.Datetime, "page": pl.String, "cents": pl.Int32}
text = pl.read_csv(source / "*.csv", schema=dict.fromkeys(TYPES, pl.String))
clicks = text.with_columns(
    pl.col("id", "account", "cents").cast(pl.Int64, strict=False),
    pl.col("clicked").str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False),
).with_columns(pl.col("account", "cents").cast(pl.Int32, strict=False))
bad = pl.select(pl.any_horizontal(*(clicks[name].is_null() & text[name].is_not_null() for name in TYPES))).to_series()
text.filter(bad).write_parquet(out / "quarantine.parquet", compression="zstd")
clicks = clicks.filter(~bad)
clicks.write_parquet(out / "silver.clicks.parquet", compression="zstd")
accounts = clicks.group_by("account").agg(
    clicks=pl.len().cast(pl.Int64), cents=pl.col("cents").cast(pl.Int64).sum(), latest=pl.col("clicked").max()
)
accounts.write_parquet(out / "gold.accounts.parquet", compression="zstd")
