import { append, definePipeline, parquet } from '@strata-lake/strata';

const keyed = { type: 'bigint', required: true } as const;
const money = 'decimal(15,2)';

/** Tables and questions in the manner of TPC-H; the rows are made by SQL, and are not those of its generator. */
export default definePipeline({
  name: 'tpch',
  sources: {
    lineitem: parquet({
      columns: {
        l_orderkey: keyed,
        l_partkey: 'bigint',
        l_suppkey: 'bigint',
        l_linenumber: 'int',
        l_quantity: money,
        l_extendedprice: money,
        l_discount: money,
        l_tax: money,
        l_returnflag: 'string',
        l_linestatus: 'string',
        l_shipdate: 'date',
      },
    }),
    orders: parquet({
      columns: {
        o_orderkey: keyed,
        o_custkey: 'bigint',
        o_totalprice: money,
        o_orderdate: 'date',
        o_shippriority: 'int',
      },
    }),
    customer: parquet({ columns: { c_custkey: keyed, c_name: 'string', c_mktsegment: 'string' } }),
    part: parquet({ columns: { p_partkey: keyed, p_name: 'string' } }),
    supplier: parquet({ columns: { s_suppkey: keyed, s_nationkey: 'int' } }),
    partsupp: parquet({ columns: { ps_partkey: keyed, ps_suppkey: 'bigint', ps_supplycost: money } }),
    nation: parquet({ columns: { n_nationkey: { type: 'int', required: true }, n_name: 'string' } }),
  },
  silver: {
    lineitem: { from: 'lineitem', mode: append() },
    orders: { from: 'orders', mode: append() },
    customer: { from: 'customer', mode: append() },
    part: { from: 'part', mode: append() },
    supplier: { from: 'supplier', mode: append() },
    partsupp: { from: 'partsupp', mode: append() },
    nation: { from: 'nation', mode: append() },
  },
  gold: {
    q1: { sql: 'q1.sql' },
    q3: { sql: 'q3.sql' },
    q9: { sql: 'q9.sql' },
    q18: { sql: 'q18.sql' },
    // For rows of one order to be together, which the others do without.
    order_suppliers: { sql: 'order_suppliers.sql' },
  },
  settings: { fileBytes: 16_000_000 },
});
