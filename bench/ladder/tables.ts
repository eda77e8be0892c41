import { readFile } from 'node:fs/promises';
import type { FingerprintSpec } from '../fingerprint.ts';
import { BENCH_PIPELINES } from '../folders.ts';

/** Number `n` of 0 up to before `most` that depends on a row and on nothing else. */
const some = (row: string, nth: number, most: number): string =>
  `CAST(hash(${row} * 1000 + ${nth}) % ${most} AS BIGINT)`;
const cents = (value: string): string => `CAST((${value}) / 100 AS DECIMAL(15,2))`;

/** The rows of a table by the scale: 1,500,000 orders for each. A line has one of the four suppliers of its part. */
export function tablesOf(scale: number): Readonly<Record<string, string>> {
  const [orders, parts, suppliers, customers] = [1_500_000, 200_000, 10_000, 150_000].map((rows) =>
    Math.round(rows * scale),
  ) as [number, number, number, number];
  const supplier = (part: string, nth: string): string =>
    `(${part} * 7 + ${nth} * ${Math.round(suppliers / 4)}) % ${suppliers}`;
  const part = some('line', 1, parts);
  return {
    lineitem: `SELECT o AS l_orderkey, part AS l_partkey, ${supplier('part', some('line', 2, 4))} AS l_suppkey,
      CAST(nth AS INTEGER) AS l_linenumber, CAST(1 + ${some('line', 3, 50)} AS DECIMAL(15,2)) AS l_quantity,
      ${cents(`90000 + ${some('line', 4, 10_000_000)}`)} AS l_extendedprice, ${cents(some('line', 5, 11))} AS l_discount,
      ${cents(some('line', 6, 9))} AS l_tax, ['A', 'N', 'R'][1 + ${some('line', 7, 3)}] AS l_returnflag,
      ['F', 'O'][1 + ${some('line', 8, 2)}] AS l_linestatus, DATE '1992-01-01' + CAST(${some('o', 9, 2_400)} + ${some('line', 10, 120)} AS INTEGER) AS l_shipdate
      FROM (SELECT *, ${part} AS part FROM (SELECT o, nth, o * 8 + nth AS line FROM (SELECT o, unnest(range(1 + ${some('o', 11, 7)})) AS nth FROM range(${orders}) r(o))))`,
    orders: `SELECT o AS o_orderkey, ${some('o', 12, customers)} AS o_custkey, ${cents(`100000 + ${some('o', 13, 40_000_000)}`)} AS o_totalprice,
      DATE '1992-01-01' + CAST(${some('o', 9, 2_400)} AS INTEGER) AS o_orderdate, CAST(0 AS INTEGER) AS o_shippriority FROM range(${orders}) r(o)`,
    customer: `SELECT c AS c_custkey, 'Customer#' || c AS c_name,
      ['AUTOMOBILE', 'BUILDING', 'FURNITURE', 'HOUSEHOLD', 'MACHINERY'][1 + ${some('c', 14, 5)}] AS c_mktsegment FROM range(${customers}) r(c)`,
    part: `SELECT p AS p_partkey, ['almond', 'blue', 'cream', 'drab', 'forest', 'green', 'hot', 'ivory', 'khaki', 'lace'][1 + ${some('p', 15, 10)}] || ' part' AS p_name
      FROM range(${parts}) r(p)`,
    supplier: `SELECT s AS s_suppkey, CAST(s % 25 AS INTEGER) AS s_nationkey FROM range(${suppliers}) r(s)`,
    partsupp: `SELECT DISTINCT p AS ps_partkey, ${supplier('p', 'n')} AS ps_suppkey, ${cents(`100 + ${some('p * 4 + n', 16, 99_900)}`)} AS ps_supplycost
      FROM range(${parts}) r(p), range(4) t(n)`,
    nation: `SELECT CAST(n AS INTEGER) AS n_nationkey, 'nation ' || n AS n_name FROM range(25) r(n)`,
  };
}

export const QUESTIONS: readonly FingerprintSpec[] = [
  {
    table: 'gold.q1',
    key: ['l_returnflag', 'l_linestatus'],
    measures: ['sum_qty', 'sum_base_price', 'sum_disc_price', 'avg_qty', 'avg_price', 'avg_disc', 'count_order'],
    texts: ['l_returnflag', 'l_linestatus'],
  },
  {
    table: 'gold.q3',
    key: ['l_orderkey'],
    measures: ['l_orderkey', 'revenue', 'o_shippriority'],
    texts: ['o_orderdate'],
  },
  { table: 'gold.q9', key: ['nation', 'o_year'], measures: ['o_year', 'sum_profit'], texts: ['nation'] },
  {
    table: 'gold.q18',
    key: ['o_orderkey'],
    measures: ['c_custkey', 'o_orderkey', 'o_totalprice', 'quantity'],
    texts: ['c_name', 'o_orderdate'],
  },
];

/** Joins two large tables and counts what is distinct, for which rows are exchanged by a key. */
export const EXCHANGED: FingerprintSpec = {
  table: 'gold.order_suppliers',
  key: ['o_orderkey'],
  measures: ['o_orderkey', 'suppliers', 'lines', 'revenue'],
  texts: ['o_orderdate'],
};

/** The SQL of a question as the pipeline has it. */
export function questionText(table: string): Promise<string> {
  return readFile(`${BENCH_PIPELINES}/tpch/${table.replace('gold.', '')}.sql`, 'utf8');
}
