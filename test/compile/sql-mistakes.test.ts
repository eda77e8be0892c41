import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { renderProblem } from '../../lib/core/errors.ts';
import type { Session } from '../../lib/ports.ts';
import { type Given, openSession, problemsOf, shopWith } from './shop.ts';

/** Problems as a person reads them: file, place, got, expected. */
type Mistake = { readonly name: string; readonly given: Given; readonly problems: readonly string[] };

/** SQL for silver.orders, in a shop where nothing else depends on its columns. */
function orders(sql: string): Given {
  return {
    definition: shopWith(['silver', 'orders', 'partitionBy'], []),
    sql: { 'silver/orders.sql': sql, 'gold/revenue.sql': 'from silver.customers' },
  };
}

function revenue(sql: string): Given {
  return { sql: { 'gold/revenue.sql': sql } };
}

const COLUMNS = Array.from({ length: 20 }, (_, at) => `${at} as column_${at}, `).join('');

/** Mistakes that show in SQL. Columns count from 1, in characters. */
const MISTAKES: readonly Mistake[] = [
  {
    name: 'a syntax error',
    given: orders('select o.order_id\nfrom batch.orders o\nwhere where'),
    problems: [
      'pipelines/shop/silver/orders.sql: line 3, column 7: got syntax error at or near "where"; expected one SELECT in DuckDB SQL',
    ],
  },
  {
    name: 'a long line',
    given: revenue(`select ${COLUMNS}o.nowhere from silver.orders o`),
    problems: [
      'pipelines/shop/gold/revenue.sql: line 1, column 328: got Table "o" does not have a column named "nowhere"; expected a column that is there: "note"',
    ],
  },
  {
    name: 'a name of which the engine does not say the place',
    given: revenue('select 1 as one\nfrom silver.orders\njoin silver.customers using (nowhere)'),
    problems: [
      'pipelines/shop/gold/revenue.sql: line 3, column 30: got Column "nowhere" does not exist on left side of join; expected SQL that DuckDB can bind',
    ],
  },
  {
    name: 'no SQL',
    given: orders(' \n;'),
    problems: ['pipelines/shop/silver/orders.sql: line 1: got no statement; expected one SELECT'],
  },
  {
    name: 'two statements',
    given: orders('select 1; select 2'),
    problems: ['pipelines/shop/silver/orders.sql: line 1: got 2 statements; expected one SELECT'],
  },
  {
    name: 'no SELECT',
    given: orders('insert into x values (1)'),
    problems: [
      'pipelines/shop/silver/orders.sql: line 1: got a statement other than SELECT; expected one SELECT; a PIVOT goes into its FROM: select * from silver.x pivot (...)',
    ],
  },
  {
    name: 'a PIVOT statement',
    given: revenue('pivot silver.orders on region using sum(amount)'),
    problems: [
      'pipelines/shop/gold/revenue.sql: line 1: got a statement other than SELECT; expected one SELECT; a PIVOT goes into its FROM: select * from silver.x pivot (...)',
    ],
  },
  {
    name: 'a slip in a table',
    given: orders("select 'ä' as a\nfrom batch.orders left join silver.customer on true"),
    problems: [
      'pipelines/shop/silver/orders.sql: line 2, column 29: got the table silver.customer; expected one of batch.orders, batch.customers, silver.customers, silver.orders; did you mean "silver.customers"?',
    ],
  },
  {
    name: 'a table without its layer',
    given: orders('from orders'),
    problems: [
      'pipelines/shop/silver/orders.sql: line 1, column 6: got the table orders; expected a table of this pipeline by its short name; did you mean "batch.orders"?',
    ],
  },
  {
    name: 'a full name',
    given: orders('select * from batch.orders left join shop_silver.customers using (customer_id)'),
    problems: [
      'pipelines/shop/silver/orders.sql: line 1, column 38: got the table shop_silver.customers; expected a table of this pipeline by its short name; did you mean "silver.customers"?',
    ],
  },
  {
    name: 'gold in silver',
    given: orders('select note from batch.orders left join gold.revenue on true'),
    problems: [
      'pipelines/shop/silver/orders.sql: line 1, column 41: got the table gold.revenue; expected batch or silver tables only: every silver table is made before the first gold one',
    ],
  },
  {
    name: 'batch in gold',
    given: revenue('select * from batch.orders'),
    problems: [
      'pipelines/shop/gold/revenue.sql: line 1, column 15: got the table batch.orders; expected silver or gold tables only: gold reads tables, not the batch of a run',
    ],
  },
  {
    name: 'a file for a table',
    given: orders("select * from 'orders.csv'"),
    problems: [
      'pipelines/shop/silver/orders.sql: line 1, column 15: got the table orders.csv; expected one of batch.orders, batch.customers, silver.customers, silver.orders',
    ],
  },
  {
    name: 'a file through a function',
    given: revenue("select * from silver.orders, read_csv('x.csv')"),
    problems: [
      'pipelines/shop/gold/revenue.sql: line 1, column 30: got the table function read_csv; expected tables of this pipeline: a file is landed as a source',
    ],
  },
  {
    name: 'another batch',
    given: orders('select note from batch.orders left join batch.customers using (customer_id)'),
    problems: [
      'pipelines/shop/silver/orders.sql: line 1, column 41: got batch.customers again; expected batch.orders once, as the leftmost table of the top-level SELECT',
    ],
  },
  {
    name: 'the batch on the right',
    given: orders('select note from silver.customers left join batch.orders using (customer_id)'),
    problems: [
      'pipelines/shop/silver/orders.sql: line 1, column 45: got batch.orders elsewhere; expected batch.orders once, as the leftmost table of the top-level SELECT',
    ],
  },
  {
    name: 'the batch in a subquery',
    given: orders('select note from (from batch.orders)'),
    problems: [
      'pipelines/shop/silver/orders.sql: line 1, column 24: got batch.orders elsewhere; expected batch.orders once, as the leftmost table of the top-level SELECT',
    ],
  },
  {
    name: 'the batch in a WITH query',
    given: orders('with o as (from batch.orders) select note from o'),
    problems: [
      'pipelines/shop/silver/orders.sql: line 1, column 17: got batch.orders elsewhere; expected batch.orders once, as the leftmost table of the top-level SELECT',
    ],
  },
  {
    name: 'no batch',
    given: orders('select * from silver.customers'),
    problems: [
      'pipelines/shop/silver/orders.sql: line 1, column 15: got no batch table; expected batch.orders once, as the leftmost table of the top-level SELECT',
    ],
  },
  {
    name: 'a filter',
    given: orders('select note\nfrom batch.orders\nwhere amount > 0'),
    problems: [
      'pipelines/shop/silver/orders.sql: line 3, column 14: got WHERE; expected no filter, because its rows would leave uncounted: use expect with policy drop, which quarantines them',
    ],
  },
  {
    name: 'groups',
    given: orders("select note from batch.orders group by note having note > 'a'"),
    problems: [
      'pipelines/shop/silver/orders.sql: line 1, column 57: got HAVING; expected no filter, because its rows would leave uncounted: use expect with policy drop, which quarantines them',
      'pipelines/shop/silver/orders.sql: line 1, column 40: got GROUP BY; expected one row per source row; group in a gold model',
    ],
  },
  {
    name: 'DISTINCT, order and limit',
    given: orders('select distinct note from batch.orders order by note limit 3'),
    problems: [
      `pipelines/shop/silver/orders.sql: line 1: got DISTINCT; expected every row, because those left out would be uncounted: use append({ dedupe: 'row' })`,
      'pipelines/shop/silver/orders.sql: line 1, column 49: got ORDER BY; expected no order in the SQL: use sortBy, which orders the rows of each file',
      'pipelines/shop/silver/orders.sql: line 1, column 60: got LIMIT; expected every row, because those left out would be uncounted',
    ],
  },
  {
    name: 'QUALIFY',
    given: orders('select note from batch.orders qualify row_number() over (partition by note) = 1'),
    problems: [
      'pipelines/shop/silver/orders.sql: line 1, column 77: got QUALIFY; expected no filter, because its rows would leave uncounted: use expect with policy drop, which quarantines them',
    ],
  },
  {
    name: 'an aggregate, a window and an unnest',
    given: orders('select count(*) as n, row_number() over () as r, unnest(tags) as t from batch.orders'),
    problems: [
      'pipelines/shop/silver/orders.sql: line 1, column 8: got the aggregate count; expected an expression over one row, because a worker sees only part of the rows; a gold model can look at all of them',
      'pipelines/shop/silver/orders.sql: line 1, column 23: got the window function row_number; expected an expression over one row, because a worker sees only part of the rows; a gold model can look at all of them',
      'pipelines/shop/silver/orders.sql: line 1, column 50: got unnest; expected an expression over one row, because a worker sees only part of the rows; a gold model can look at all of them',
    ],
  },
  {
    name: 'UNION',
    given: orders('select note from batch.orders union all select note from batch.orders'),
    problems: [
      'pipelines/shop/silver/orders.sql: line 1: got UNION at the top level; expected one SELECT from batch.<source> with LEFT JOINs: each source row becomes one row of the table',
    ],
  },
  {
    name: 'an inner join',
    given: orders('select note\nfrom batch.orders\njoin silver.customers using (customer_id)'),
    problems: [
      'pipelines/shop/silver/orders.sql: line 3, column 1: got INNER JOIN; expected LEFT JOIN, because other joins drop or multiply rows',
    ],
  },
  {
    name: 'a cross join',
    given: orders('select note from batch.orders, silver.customers'),
    problems: [
      'pipelines/shop/silver/orders.sql: line 1, column 32: got CROSS JOIN; expected LEFT JOIN, because other joins drop or multiply rows',
    ],
  },
  {
    name: 'a join of values',
    given: orders('select o.note from batch.orders o left join (values (1)) v(id) on v.id = o.order_id'),
    problems: [
      'pipelines/shop/silver/orders.sql: line 1, column 35: got a join that reads no silver table; expected a silver table; a few fixed values fit in a CASE',
    ],
  },
  {
    name: 'a natural join',
    given: orders('select note from batch.orders natural left join silver.customers'),
    problems: [
      'pipelines/shop/silver/orders.sql: line 1, column 31: got NATURAL LEFT JOIN; expected LEFT JOIN with ON or USING, because a new column would change a natural join',
    ],
  },
  {
    name: 'the clock and chance',
    given: orders(
      'select random() as a, now() as b, current_date as c, uuid() as d, age(ordered_at) as e, ago(interval 1 day) as f, note from batch.orders',
    ),
    problems: [
      'pipelines/shop/silver/orders.sql: line 1, column 8: got random(); expected SQL that gives the same rows when a worker is retried: take times and ids from the source, or add them in gold',
      'pipelines/shop/silver/orders.sql: line 1, column 23: got now(); expected SQL that gives the same rows when a worker is retried: take times from the source, or run_date() or run_time(), which the plan of a run fixes',
      'pipelines/shop/silver/orders.sql: line 1, column 35: got current_date; expected SQL that gives the same rows when a worker is retried: take times from the source, or run_date() or run_time(), which the plan of a run fixes',
      'pipelines/shop/silver/orders.sql: line 1, column 54: got uuid(); expected SQL that gives the same rows when a worker is retried: take times and ids from the source, or add them in gold',
      'pipelines/shop/silver/orders.sql: line 1, column 67: got age(); expected SQL that gives the same rows when a worker is retried: take times from the source, or run_date() or run_time(), which the plan of a run fixes',
      'pipelines/shop/silver/orders.sql: line 1, column 89: got ago(); expected SQL that gives the same rows when a worker is retried: take times from the source, or run_date() or run_time(), which the plan of a run fixes',
      `pipelines/shop/silver/orders.sql: column "e": got the type INTERVAL, which Iceberg can't store; expected a cast to boolean, int, bigint, float, double, date, timestamp, timestamptz, string, binary, decimal(p,s), list<type> or struct<name: type, ...>`,
    ],
  },
  {
    name: 'a sample',
    given: orders('select note from batch.orders tablesample 10%'),
    problems: [
      'pipelines/shop/silver/orders.sql: line 1, column 18: got TABLESAMPLE; expected SQL that gives the same rows when a worker is retried: take times and ids from the source, or add them in gold',
    ],
  },
  {
    name: 'an unknown column',
    given: orders('select note,\n  amont\nfrom batch.orders'),
    problems: [
      'pipelines/shop/silver/orders.sql: line 2, column 3: got Referenced column "amont" not found in FROM clause; expected a column that is there: "amount", "customer_id"; did you mean "amount"?',
    ],
  },
  {
    name: 'an unknown function',
    given: orders('select uppr(note) as n from batch.orders'),
    problems: [
      'pipelines/shop/silver/orders.sql: line 1, column 8: got Scalar Function with name uppr does not exist; expected something that is there; did you mean "upper"?',
    ],
  },
  {
    name: 'columns of one name, and reserved',
    given: orders('select note, amount as Note, order_id as _row_hash from batch.orders'),
    problems: [
      'pipelines/shop/silver/orders.sql: column "Note": got a second column "Note" (case does not count); expected a name of its own (name it with AS)',
      'pipelines/shop/silver/orders.sql: column "_row_hash": got the column name "_row_hash"; expected a name that starts with neither __ nor _row_hash (name it with AS)',
    ],
  },
  {
    name: 'types that Iceberg lacks',
    given: orders("select interval 1 day as i, time '10:00' as t from batch.orders"),
    problems: [
      `pipelines/shop/silver/orders.sql: column "i": got the type INTERVAL, which Iceberg can't store; expected a cast to boolean, int, bigint, float, double, date, timestamp, timestamptz, string, binary, decimal(p,s), list<type> or struct<name: type, ...>`,
      `pipelines/shop/silver/orders.sql: column "t": got the type TIME, which Iceberg can't store; expected a cast to boolean, int, bigint, float, double, date, timestamp, timestamptz, string, binary, decimal(p,s), list<type> or struct<name: type, ...>`,
    ],
  },
  {
    name: 'columns that change with a hidden one',
    given: orders("select columns('.*') from batch.orders"),
    problems: [
      'pipelines/shop/silver/orders.sql: line 1: got other columns (__rid bigint) once the hidden column __rid is added; expected columns by name instead of COLUMNS(...), and expressions named with AS',
    ],
  },
  {
    name: 'a semicolon before a comment',
    given: revenue('select 1 as a;\n -- done'),
    problems: ['pipelines/shop/gold/revenue.sql: line 1: got a semicolon before the end; expected no semicolon'],
  },
  {
    name: 'a model that reads itself',
    given: revenue('select * from gold.revenue'),
    problems: [
      'pipelines/shop/pipeline.ts: gold.revenue: got the circle gold.revenue -> gold.revenue; expected models that do not wait for each other',
    ],
  },
  {
    name: 'a circle',
    given: {
      definition: shopWith(['silver', 'customers', 'sql'], 'silver/customers.sql'),
      sql: {
        'silver/customers.sql': 'select c.* from batch.customers c left join silver.orders o using (customer_id)',
      },
    },
    problems: [
      'pipelines/shop/pipeline.ts: silver.customers: got the circle silver.customers -> silver.orders -> silver.customers; expected models that do not wait for each other',
    ],
  },
];

let session: Session;
before(async () => {
  session = await openSession();
});
after(() => session[Symbol.asyncDispose]());

for (const { name, given, problems } of MISTAKES) {
  test(`reports ${name}`, async () => {
    const found = await problemsOf(session, given);
    assert.deepEqual(
      found.map((problem) => renderProblem(problem).trim()),
      problems,
    );
  });
}
