"""The retail tables with Polars: python retail_polars.py <input> <output>."""

import sys
from pathlib import Path

import polars as pl

source, out = Path(sys.argv[1]), Path(sys.argv[2])
MONEY = pl.Decimal(38, 2)


def read(name: str, schema: dict) -> pl.DataFrame:
    return pl.read_csv(source / name / "*.csv", schema=schema)


def write(table: pl.DataFrame, name: str) -> pl.DataFrame:
    table.write_parquet(out / f"{name}.parquet", compression="zstd")
    return table


def rounded(cents: pl.Expr) -> pl.Expr:
    """Whole cents, half of one upwards."""
    return (cents + 0.5).floor().cast(pl.Int64)


def percent(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    return (pl.when(whole != 0).then(part / whole * 100)).round(2, mode="half_away_from_zero")


def month_start(yyyymm: pl.Expr) -> pl.Expr:
    return pl.date(yyyymm // 100, yyyymm % 100, 1)


def in_money(table: pl.DataFrame, **columns: str) -> pl.DataFrame:
    """Columns of cents as decimals; without names `cents` becomes `revenue`."""
    named = columns or {"revenue": "cents"}
    money = {name: (pl.col(cents).cast(MONEY) / 100).cast(MONEY) for name, cents in named.items()}
    return table.with_columns(**money).drop(named.values())


total = pl.col("cents").sum()
units = pl.col("quantity").cast(pl.Int64).sum()

def versions(name: str, key: str, schema: dict) -> pl.DataFrame:
    """Each version ends where the next one of its key begins."""
    table = read(name, {key: pl.Int64, **schema, "updated_at": pl.Datetime}).sort(key, "updated_at")
    table = table.with_columns(valid_from="updated_at", valid_to=pl.col("updated_at").shift(-1).over(key))
    return write(table.with_columns(is_current=pl.col("valid_to").is_null()), f"silver.{name}")


def at_the_time(facts: pl.DataFrame, table: pl.DataFrame, key: str, columns: list[str]) -> pl.DataFrame:
    """The version of the key that was valid at txn_ts: the latest that had begun, since there are no gaps."""
    dimension = table.select(key, "valid_from", *columns).sort("valid_from")
    return facts.join_asof(
        dimension, left_on="txn_ts", right_on="valid_from", by=key, strategy="backward", check_sortedness=False
    ).drop("valid_from")


customers = versions(
    "customers",
    "customer_id",
    {
        "customer_name": pl.String,
        "age": pl.Int32,
        "gender": pl.String,
        "country": pl.String,
        "region": pl.String,
    },
)
products = versions(
    "products",
    "product_id",
    {
        "category": pl.String,
        "subcategory": pl.String,
        "product_name": pl.String,
        "base_price": pl.Decimal(10, 2),
    },
)
transactions = (
    read(
        "transactions",
        {
            "txn_id": pl.Int64,
            "txn_ts": pl.Datetime,
            "customer_id": pl.Int64,
            "product_id": pl.Int64,
            "quantity": pl.Int32,
            "channel": pl.String,
        },
    )
    .unique("txn_id", keep="first")
    .sort("txn_ts")
)
located = at_the_time(transactions, customers, "customer_id", ["country", "region"])
sales = (
    at_the_time(located, products, "product_id", ["category", "subcategory", "base_price"])
    .rename({"base_price": "unit_price"})
    .with_columns(
        order_date=pl.col("txn_ts").dt.date(),
        yyyymm=pl.col("txn_ts").dt.year() * 100 + pl.col("txn_ts").dt.month().cast(pl.Int32),
        cents=(pl.col("unit_price") * 100).cast(pl.Int64) * pl.col("quantity"),
    )
    .filter((pl.col("quantity") > 0) & (pl.col("unit_price") > 0).fill_null(True))
)
written = in_money(sales, total_amount="cents")
for (month, region), part in written.partition_by("yyyymm", "region", as_dict=True).items():
    folder = out / "silver.sales" / f"m={month}" / f"r={region}"
    folder.mkdir(parents=True)
    part.write_parquet(folder / "0.parquet", compression="zstd")

monthly = sales.group_by("yyyymm", "region", "category").agg(cents=total, units=units)
write(in_money(monthly), "gold.monthly_revenue")

by_month = sales.group_by("yyyymm").agg(cents=total)
months = by_month.select(
    month=pl.date_range(month_start(pl.col("yyyymm").min()), month_start(pl.col("yyyymm").max()), "1mo")
)
trend = (
    months.join(by_month.with_columns(month=month_start(pl.col("yyyymm"))), on="month", how="left")
    .sort("month")
    .with_columns(
        yyyymm=pl.col("month").dt.year() * 100 + pl.col("month").dt.month().cast(pl.Int32),
        cents=pl.col("cents").fill_null(0),
    )
    .with_columns(
        ma3=rounded(pl.col("cents").rolling_mean(3, min_samples=1)),
        mom_growth_pct=percent(pl.col("cents").diff(), pl.col("cents").shift()),
    )
)
write(in_money(trend, revenue="cents", revenue_ma3="ma3").drop("month"), "gold.revenue_trend")

top_customers = (
    sales.group_by("region", "customer_id")
    .agg(cents=total)
    .with_columns(rank=pl.col("cents").rank("dense", descending=True).over("region"))
    .filter(pl.col("rank") <= 10)
    .join(customers.filter("is_current").select("customer_id", "customer_name"), on="customer_id", how="left")
    .sort("region", "rank", "customer_id")
)
write(in_money(top_customers), "gold.top_customers")

top_products = (
    sales.filter(pl.col("cents").is_not_null())
    .group_by("product_id")
    .agg(cents=total, units=units)
    .sort(["cents", "product_id"], descending=[True, False])
    .head(50)
    .with_row_index("rank", 1)
    .join(products.filter("is_current").select("product_id", "product_name", "category"), on="product_id", how="left")
)
write(in_money(top_products), "gold.top_products")

share = (
    sales.group_by("category")
    .agg(cents=total)
    .with_columns(share_pct=percent(pl.col("cents"), pl.col("cents").sum()))
    .sort("cents", descending=True)
)
write(in_money(share), "gold.category_share")

kpis = (
    sales.group_by("region")
    .agg(
        orders=pl.len(),
        priced=pl.col("cents").count(),
        customers=pl.col("customer_id").n_unique(),
        units=units,
        cents=total,
    )
    .with_columns(mean=rounded(pl.col("cents") / pl.col("priced")))
    .sort("region")
)
write(in_money(kpis, revenue="cents", avg_order_value="mean").drop("priced"), "gold.region_kpis")
