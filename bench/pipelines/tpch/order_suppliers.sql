SELECT
  o_orderkey,
  o_orderdate,
  count(DISTINCT l_suppkey) AS suppliers,
  count(*) AS lines,
  sum(l_extendedprice * (1 - l_discount)) AS revenue
FROM silver.orders
JOIN silver.lineitem ON o_orderkey = l_orderkey
GROUP BY o_orderkey, o_orderdate
