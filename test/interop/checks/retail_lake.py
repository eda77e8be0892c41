"""The retail sample: silver and gold against figures from its CSV files."""

from collections import defaultdict
from datetime import datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
from pyiceberg.expressions import And, GreaterThanOrEqual, LessThan

from harness import Report, same
from pruning import check_month
from tables import check_form, check_spec, open_table, raw_files

PRICE = pa.decimal128(10, 2)
TIME = pa.timestamp("us")


def check_retail(report: Report, lake: dict) -> None:
    files = defaultdict(list)
    for file in lake["files"]:
        options = csv.ConvertOptions(column_types={"base_price": PRICE, "txn_ts": TIME, "updated_at": TIME})
        files[file["table"]].append(csv.read_csv(file["path"], convert_options=options))
    customers, products, sales = (pa.concat_tables(files[name]) for name in ("customers", "products", "transactions"))
    rows = joined(customers, products, sales)
    for name, described in lake["tables"].items():
        check_form(report, described["metadata"])
        with report.check(f"retail.{name}: partition spec"):
            check_spec(open_table(described["metadata"]), described["partition"])
    table = open_table(lake["tables"]["sales"]["metadata"])
    got = table.scan().to_arrow()
    with report.check("retail.sales: rows, sums and nulls"):
        same(got.num_rows, len(rows), "rows")
        same(pc.sum(got["quantity"]).as_py(), sum(row["quantity"] for row in rows), "quantity")
        same(sum(v or 0 for v in got["total_amount"].to_pylist()), sum(row["total"] or 0 for row in rows), "total_amount")
        nulls = {"region": "region", "category": "category", "total_amount": "total"}
        same({n: got[n].null_count for n in nulls}, {n: sum(r[k] is None for r in rows) for n, k in nulls.items()}, "nulls")
    with report.check("retail.sales: a filter on one month plans only that month's files"):
        raws = raw_files(table)
        filter_ = And(GreaterThanOrEqual("order_date", "2025-03-01"), LessThan("order_date", "2025-04-01"))
        check_month(table, raws, "order_date", filter_, {(2025, 3)})
        wanted = sum(1 for row in rows if (row["at"].year, row["at"].month) == (2025, 3))
        same(table.scan(row_filter=filter_).to_arrow().num_rows, wanted, "rows of the month")
    with report.check("retail.monthly_revenue: revenue and units"):
        gold = open_table(lake["tables"]["monthly_revenue"]["metadata"]).scan().to_arrow().to_pylist()
        found = {(r["yyyymm"], r["region"], r["category"]): (r["revenue"], r["units"]) for r in gold}
        same(found, monthly(rows), "groups")


def joined(customers: pa.Table, products: pa.Table, sales: pa.Table) -> list[dict]:
    people = versions(customers, "customer_id")
    goods = versions(products, "product_id")
    rows = []
    for sale in sales.to_pylist():
        customer = valid_at(people[sale["customer_id"]], sale["txn_ts"])
        product = valid_at(goods[sale["product_id"]], sale["txn_ts"])
        rows.append(
            {
                "at": sale["txn_ts"],
                "quantity": sale["quantity"],
                "region": None if customer is None else customer["region"],
                "category": None if product is None else product["category"],
                "total": None if product is None else product["base_price"] * sale["quantity"],
            }
        )
    return rows


def versions(table: pa.Table, key: str) -> defaultdict:
    by_key = defaultdict(list)
    for row in table.to_pylist():
        by_key[row[key]].append(row)
    return by_key


def valid_at(rows: list[dict], at: datetime) -> dict | None:
    return max((row for row in rows if row["updated_at"] <= at), key=lambda row: row["updated_at"], default=None)


def monthly(rows: list[dict]) -> dict:
    groups: dict = {}
    for row in rows:
        at: datetime = row["at"]
        key = (at.year * 100 + at.month, row["region"], row["category"])
        revenue, units = groups.get(key, (Decimal("0.00"), 0))
        groups[key] = (revenue + (row["total"] or 0), units + row["quantity"])
    return groups
