"""The retail tables with pandas: python retail_pandas.py <input> <output>. Money is whole cents until it is written."""

import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

source, out = Path(sys.argv[1]), Path(sys.argv[2])


def read(name: str, dates: list[str], **types: str) -> pd.DataFrame:
    files = sorted((source / name).glob("*.csv"))
    parts = [pd.read_csv(file, dtype=types, parse_dates=dates, date_format="ISO8601") for file in files]
    return pd.concat(parts, ignore_index=True)


def write(table: pd.DataFrame, path: str, **money: str) -> None:
    """Columns of cents become decimals: `revenue="cents"` writes the column cents as revenue."""
    arrow = pa.Table.from_pandas(table.drop(columns=list(money.values())), preserve_index=False)
    for name, cents in money.items():
        whole = pa.array(table[cents].astype("Int64")).cast(pa.decimal128(19, 0))
        arrow = arrow.append_column(name, pc.multiply(whole, pa.scalar(Decimal("0.01"))))
    (out / path).parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(arrow, out / path, compression="zstd")


def rounded(cents: pd.Series) -> pd.Series:
    """Whole cents, half of one upwards."""
    return np.floor(cents + 0.5)


def percent(part: pd.Series, whole: pd.Series) -> pd.Series:
    return (part / whole.where(whole != 0) * 100).round(2)


def versions(name: str, key: str, **types: str) -> pd.DataFrame:
    """Each version ends where the next one of its key begins."""
    table = read(name, ["updated_at"], **{key: "int64"}, **types).sort_values([key, "updated_at"])
    table["valid_from"] = table["updated_at"]
    table["valid_to"] = table.groupby(key)["updated_at"].shift(-1)
    table["is_current"] = table["valid_to"].isna()
    return table


def at_the_time(facts: pd.DataFrame, table: pd.DataFrame, key: str, columns: list[str]) -> pd.DataFrame:
    """The version of the key that was valid at txn_ts: the latest that had begun, since there are no gaps."""
    dimension = table[[key, "valid_from", *columns]].sort_values("valid_from")
    joined = pd.merge_asof(facts, dimension, left_on="txn_ts", right_on="valid_from", by=key)
    return joined.drop(columns="valid_from")


def grouped(table: pd.DataFrame, *by: str, **sums: tuple[str, str]) -> pd.DataFrame:
    return table.groupby(list(by), dropna=False, as_index=False).agg(**sums)


customers = versions(
    "customers",
    "customer_id",
    customer_name="str",
    age="int32",
    gender="str",
    country="str",
    region="str",
)
write(customers, "silver.customers.parquet")
products = versions("products", "product_id", category="str", subcategory="str", product_name="str", base_price="float64")
products["price_cents"] = rounded(products.pop("base_price") * 100).astype("int64")
write(products, "silver.products.parquet", base_price="price_cents")

transactions = (
    read("transactions", ["txn_ts"], txn_id="int64", customer_id="int64", product_id="int64", quantity="int32")
    .drop_duplicates("txn_id")
    .sort_values("txn_ts")
)
located = at_the_time(transactions, customers, "customer_id", ["country", "region"])
sales = at_the_time(located, products, "product_id", ["category", "subcategory", "price_cents"])
sales = sales[(sales["quantity"] > 0) & ~(sales["price_cents"] <= 0)]
sales["cents"] = (sales["price_cents"] * sales["quantity"]).astype("Int64")
sales["order_date"] = sales["txn_ts"].dt.date
sales["yyyymm"] = sales["txn_ts"].dt.year * 100 + sales["txn_ts"].dt.month
for (month, region), part in sales.groupby(["yyyymm", "region"], dropna=False):
    write(part, f"silver.sales/m={month}/r={region}/0.parquet", unit_price="price_cents", total_amount="cents")

revenue, units = ("cents", "sum"), ("quantity", "sum")
write(grouped(sales, "yyyymm", "region", "category", cents=revenue, units=units), "gold.monthly_revenue.parquet", revenue="cents")

by_month = grouped(sales, "yyyymm", cents=revenue).set_index("yyyymm")["cents"]
by_month.index = pd.to_datetime(by_month.index.astype(str), format="%Y%m")
by_month = by_month.reindex(pd.date_range(by_month.index.min(), by_month.index.max(), freq="MS"), fill_value=0)
by_month = by_month.astype("float64")
trend = pd.DataFrame(
    {
        "yyyymm": by_month.index.year * 100 + by_month.index.month,
        "cents": by_month,
        "ma3": rounded(by_month.rolling(3, min_periods=1).mean()),
        "mom_growth_pct": percent(by_month.diff(), by_month.shift()),
    }
)
write(trend, "gold.revenue_trend.parquet", revenue="cents", revenue_ma3="ma3")

by_customer = grouped(sales, "region", "customer_id", cents=revenue)
by_customer["rank"] = by_customer.groupby("region", dropna=False)["cents"].rank("dense", ascending=False).astype("int32")
names = customers.loc[customers["is_current"], ["customer_id", "customer_name"]]
top_customers = by_customer[by_customer["rank"] <= 10].merge(names, on="customer_id", how="left")
write(top_customers.sort_values(["region", "rank", "customer_id"]), "gold.top_customers.parquet", revenue="cents")

by_product = grouped(sales[sales["cents"].notna()], "product_id", cents=revenue, units=units)
top_products = by_product.sort_values(["cents", "product_id"], ascending=[False, True]).head(50)
top_products["rank"] = np.arange(1, len(top_products) + 1)
labels = products.loc[products["is_current"], ["product_id", "product_name", "category"]]
write(top_products.merge(labels, on="product_id", how="left"), "gold.top_products.parquet", revenue="cents")

share = grouped(sales, "category", cents=revenue).sort_values("cents", ascending=False)
share["share_pct"] = percent(share["cents"].astype("float64"), pd.Series(float(share["cents"].sum()), share.index))
write(share, "gold.category_share.parquet", revenue="cents")

kpis = grouped(
    sales,
    "region",
    orders=("txn_id", "size"),
    priced=("cents", "count"),
    customers=("customer_id", "nunique"),
    units=units,
    cents=revenue,
)
kpis["mean"] = rounded(kpis["cents"].astype("float64") / kpis.pop("priced"))
write(kpis, "gold.region_kpis.parquet", revenue="cents", avg_order_value="mean")
