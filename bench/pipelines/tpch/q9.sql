SELECT
  n_name AS nation,
  year(o_orderdate) AS o_year,
  sum(l_extendedprice * (1 - l_discount) - ps_supplycost * l_quantity) AS sum_profit
FROM silver.lineitem
JOIN silver.part ON p_partkey = l_partkey
JOIN silver.supplier ON s_suppkey = l_suppkey
JOIN silver.partsupp ON ps_partkey = l_partkey AND ps_suppkey = l_suppkey
JOIN silver.orders ON o_orderkey = l_orderkey
JOIN silver.nation ON n_nationkey = s_nationkey
WHERE p_name LIKE '%green%'
GROUP BY 1, 2
