"""The retail tables with Spark SQL on this machine's cores: python retail_pyspark.py <input> <output>."""

import sys
from pathlib import Path

from pyspark.sql import SparkSession

source, out = Path(sys.argv[1]), Path(sys.argv[2])
spark = (
    SparkSession.builder.master("local[*]")
    .config("spark.driver.memory", "2g")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.parquet.compression.codec", "zstd")
    .config("spark.sql.shuffle.partitions", "4")
    .config("spark.ui.enabled", "false")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")


def read(name: str, schema: str) -> None:
    spark.read.csv(str(source / name), header=True, schema=schema).createOrReplaceTempView(name)


def write(name: str, query: str, *partition_by: str) -> None:
    """Writes the query, and keeps it under its name with `.` as `_` for the queries after it."""
    table = spark.sql(query).cache()
    table.write.partitionBy(*partition_by).parquet(str(out / name))
    table.createOrReplaceTempView(name.replace(".", "_"))


def versions(name: str, key: str) -> None:
    write(
        f"silver.{name}",
        f"""SELECT *, updated_at AS valid_from, valid_to IS NULL AS is_current FROM (
  SELECT *, lead(updated_at) OVER (PARTITION BY {key} ORDER BY updated_at) AS valid_to FROM {name})""",
    )


read(
    "customers",
    "customer_id LONG, customer_name STRING, age INT, gender STRING, country STRING, region STRING, updated_at TIMESTAMP",
)
read(
    "products",
    "product_id LONG, category STRING, subcategory STRING, product_name STRING, base_price DECIMAL(10,2), updated_at TIMESTAMP",
)
read(
    "transactions",
    "txn_id LONG, txn_ts TIMESTAMP, customer_id LONG, product_id LONG, quantity INT, channel STRING",
)
versions("customers", "customer_id")
versions("products", "product_id")
write(
    "silver.sales",
    """SELECT *, yyyymm AS m, coalesce(region, '') AS r FROM (
  SELECT t.txn_id, t.txn_ts, CAST(t.txn_ts AS DATE) AS order_date, year(t.txn_ts) * 100 + month(t.txn_ts) AS yyyymm,
    t.customer_id, c.country, c.region, t.product_id, p.category, p.subcategory, t.channel, t.quantity,
    p.base_price AS unit_price, CAST(p.base_price * t.quantity AS DECIMAL(20,2)) AS total_amount
  FROM (SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY txn_id ORDER BY txn_ts) AS n FROM transactions)
    WHERE n = 1) t
  LEFT JOIN silver_customers c ON c.customer_id = t.customer_id
    AND t.txn_ts >= c.valid_from AND (c.valid_to IS NULL OR t.txn_ts < c.valid_to)
  LEFT JOIN silver_products p ON p.product_id = t.product_id
    AND t.txn_ts >= p.valid_from AND (p.valid_to IS NULL OR t.txn_ts < p.valid_to))
WHERE coalesce(quantity > 0, true) AND coalesce(unit_price > 0, true)
DISTRIBUTE BY m, r SORT BY m, r, txn_ts""",
    "m",
    "r",
)
write(
    "gold.monthly_revenue",
    """SELECT yyyymm, region, category, CAST(coalesce(sum(total_amount), 0) AS DECIMAL(30,2)) AS revenue,
  sum(quantity) AS units
FROM silver_sales GROUP BY yyyymm, region, category""",
)
write(
    "gold.revenue_trend",
    """SELECT year(month) * 100 + month(month) AS yyyymm, revenue,
  CAST(avg(revenue) OVER (ORDER BY month ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS DECIMAL(30,2)) AS revenue_ma3,
  CAST(round((revenue - before) / nullif(before, 0) * 100, 2) AS DOUBLE) AS mom_growth_pct
FROM (
  SELECT *, lag(revenue) OVER (ORDER BY month) AS before FROM (
    SELECT m.month, CAST(coalesce(r.revenue, 0) AS DECIMAL(30,2)) AS revenue
    FROM (SELECT explode(sequence(min(month), max(month), INTERVAL 1 MONTH)) AS month FROM (
      SELECT make_date(yyyymm DIV 100, yyyymm % 100, 1) AS month FROM gold_monthly_revenue)) m
    LEFT JOIN (SELECT make_date(yyyymm DIV 100, yyyymm % 100, 1) AS month, sum(revenue) AS revenue
      FROM gold_monthly_revenue GROUP BY 1) r ON r.month = m.month))""",
)
write(
    "gold.top_customers",
    """SELECT ranked.region, rank, ranked.customer_id, c.customer_name, revenue FROM (
  SELECT *, dense_rank() OVER (PARTITION BY region ORDER BY revenue DESC) AS rank FROM (
    SELECT region, customer_id, CAST(coalesce(sum(total_amount), 0) AS DECIMAL(30,2)) AS revenue
    FROM silver_sales GROUP BY region, customer_id)) ranked
LEFT JOIN silver_customers c ON c.customer_id = ranked.customer_id AND c.is_current
WHERE rank <= 10""",
)
write(
    "gold.top_products",
    """SELECT rank, ranked.product_id, p.product_name, p.category, revenue, units FROM (
  SELECT *, row_number() OVER (ORDER BY revenue DESC, product_id) AS rank FROM (
    SELECT product_id, sum(total_amount) AS revenue, sum(quantity) AS units
    FROM silver_sales WHERE total_amount IS NOT NULL GROUP BY product_id)) ranked
LEFT JOIN silver_products p ON p.product_id = ranked.product_id AND p.is_current
WHERE rank <= 50""",
)
write(
    "gold.category_share",
    """SELECT category, revenue, CAST(round(revenue / nullif(sum(revenue) OVER (), 0) * 100, 2) AS DOUBLE) AS share_pct
FROM (SELECT category, sum(revenue) AS revenue FROM gold_monthly_revenue GROUP BY category)""",
)
write(
    "gold.region_kpis",
    """SELECT region, orders, customers, units, revenue,
  CAST(round(revenue / nullif(priced, 0), 2) AS DECIMAL(30,2)) AS avg_order_value
FROM (
  SELECT region, count(*) AS orders, count(total_amount) AS priced, count(DISTINCT customer_id) AS customers,
    sum(quantity) AS units, CAST(coalesce(sum(total_amount), 0) AS DECIMAL(30,2)) AS revenue
  FROM silver_sales GROUP BY region)""",
)

# Waited for, so that the processor time of the JVM counts.
gateway = spark.sparkContext._gateway
spark.stop()
gateway.shutdown()
gateway.proc.stdin.close()
gateway.proc.wait()
