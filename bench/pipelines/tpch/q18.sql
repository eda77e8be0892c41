SELECT
  c_name,
  c_custkey,
  o_orderkey,
  o_orderdate,
  o_totalprice,
  sum(l_quantity) AS quantity
FROM silver.customer
JOIN silver.orders ON c_custkey = o_custkey
JOIN silver.lineitem ON o_orderkey = l_orderkey
WHERE o_orderkey IN (SELECT l_orderkey FROM silver.lineitem GROUP BY l_orderkey HAVING sum(l_quantity) > 230)
GROUP BY c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice
