import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Row, Session } from '../../lib/ports.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { compileShop, openSession, shopWith } from './shop.ts';

/** Silver SQL of every shape; the rewritten SQL must give the same rows, each with the number of its batch row. */
const SHAPES: readonly (readonly [name: string, sql: string, selectsAll: boolean])[] = [
  ['a bare star', 'select * from batch.orders', true],
  ['FROM first', 'from batch.orders', true],
  ['FROM first with a list', 'from batch.orders o select o.order_id, o.note', false],
  ['a star of an alias', 'select o.* from batch.orders o', true],
  ['a quoted alias', 'select "O o".* from batch.orders as "O o"', true],
  ['a star that leaves columns out', 'select * exclude (note) replace (amount * 2 as amount) from batch.orders', true],
  ['columns by name', 'select order_id, upper(note) as note from batch.orders', false],
  ['a semicolon and a comment', '-- orders\nselect order_id from batch.orders; \n', false],
  ['a star over a join', 'select * from batch.orders o left join silver.customers c using (customer_id)', true],
  [
    'stars of both sides',
    'select c.* exclude (customer_id), o.* from batch.orders o left join silver.customers c on c.customer_id = o.customer_id',
    true,
  ],
  [
    'a star of the joined table',
    'select c.*, o.order_id from batch.orders o left join silver.customers c using (customer_id)',
    false,
  ],
  [
    'a WITH query in front',
    'with dims as (select customer_id, region from silver.customers where region is not null), more as (from dims)\nselect o.*, d.region from batch.orders o left join more d on d.customer_id = o.customer_id',
    true,
  ],
  [
    'a subquery in the list and in a join',
    'select order_id, (select count(*) from silver.customers) as n, q.best from batch.orders o left join (select region as best, max(customer_id) as id from silver.customers group by region) q on q.id = o.customer_id',
    false,
  ],
  [
    'values as a table beside a silver one',
    "select o.order_id, v.label from batch.orders o left join silver.customers c using (customer_id) left join (values (1, 'one'), (2, 'two')) v(id, label) on v.id = o.order_id",
    false,
  ],
  [
    'COLUMNS(*)',
    'select order_id, upper(COLUMNS(* exclude (order_id, customer_id, ordered_at, amount, tags))) from batch.orders',
    false,
  ],
  ['other names for the columns', 'select a, b from batch.orders as o(a, b)', false],
  [
    'a quoted batch star beside a quoted join',
    'select "l l".*, "c c".region from batch.orders as "l l" left join silver.customers "c c" using (customer_id)',
    true,
  ],
  [
    'numbers that JavaScript would round',
    'select order_id, 9007199254740993 as a, 170141183460469231731687303715884105727 as b, 0.123456789012345678901234567890 as c, 1e3 as d, 2.5e300 as e, 1.0 as f, -0.1 as g from batch.orders',
    false,
  ],
  [
    'expressions',
    `select order_id, case when amount > 1 then 'big' when amount is null then 'none' else 'it''s' end as size, note like 'a%' as l,
      note not in ('x', 'y') as i, amount between 1 and 2 as b, coalesce(note, '-') || e'\\n' as n, try_cast(note as int) as t,
      date_trunc('month', ordered_at) as m, extract(year from ordered_at) as y, strftime(ordered_at, '%Y%m') as ym,
      ordered_at + interval 3 day as p, list_transform(tags, x -> x || '!') as tr, [x for x in tags if x <> 'b'] as li, tags[1] as t1, tags[1:1] as t2,
      {'a': order_id, 'b c': note} as st, struct_pack(x := 1).x as x, 7 // 2 as q, 7 % 4 as r, 2 ** 3 as w, not (amount > 1) as no,
      amount is distinct from 2 as di, regexp_replace(note, '[aeiou]', '_', 'g') as re, nullif(note, 'b') as nu, cast(order_id as decimal(20,2)) as dec,
      note collate nocase = 'A' as co, if(true, 1, 2) as f, order_id & 1 | 2 as bits, note ^@ 'a' as sw from batch.orders`,
    false,
  ],
];

const ROWS = `SELECT * FROM (VALUES
  (1, 10, TIMESTAMP '2024-01-31 10:00:00', 1.50, 'a', ['a', 'b']),
  (2, 11, TIMESTAMP '1969-12-31 23:59:59', 2.00, 'b', []),
  (3, NULL, NULL, NULL, NULL, NULL)
) AS v(order_id, customer_id, ordered_at, amount, note, tags)`;

const CUSTOMERS = `SELECT * FROM (VALUES (10, 'Ann', 'north'), (12, 'Bo', NULL)) AS v(customer_id, name, region)`;

let session: Session;
before(async () => {
  session = await openSession();
});
after(() => session[Symbol.asyncDispose]());

async function run(text: string): Promise<void> {
  await session.run({ name: 'prepare', text: userSql(text) });
}

/** Empty of schemas before and after, as compilation wants it. */
async function withTables<T>(rowId: string, act: () => Promise<T>): Promise<T> {
  for (const schema of ['batch', 'silver']) await run(`CREATE SCHEMA ${schema}`);
  await run(`CREATE TABLE batch.orders AS SELECT *${rowId} FROM (${ROWS})`);
  await run(`CREATE TABLE silver.customers AS ${CUSTOMERS}`);
  try {
    return await act();
  } finally {
    for (const schema of ['batch', 'silver']) await run(`DROP SCHEMA ${schema} CASCADE`);
  }
}

/** Row number 100 times the order, so that a number on the wrong row shows. */
const NUMBERED = ', CAST(order_id * 100 AS BIGINT) AS __rid';

for (const [name, sql, selectsAll] of SHAPES) {
  test(`carries the row number through ${name}`, async () => {
    const definition = shopWith(['silver', 'orders', 'partitionBy'], []);
    const others = { 'gold/revenue.sql': 'from silver.customers' };
    const spec = await compileShop(session, { definition, sql: { 'silver/orders.sql': sql, ...others } });
    const model = spec.models.find((one) => one.id === 'silver.orders');
    assert.ok(model?.layer === 'silver');
    assert.equal(model.selectsAll, selectsAll);
    const asWritten = await withTables('', () => session.rows({ name: 'as written', text: userSql(sql) }));
    const rewritten = await withTables(NUMBERED, () => session.rows({ name: 'rewritten', text: userSql(model.sql) }));
    assert.equal(rewritten.length, 3);
    assert.deepEqual(Object.keys(rewritten[0] ?? {}), [...model.columns.map((column) => column.name), '__rid']);
    assert.deepEqual(
      rewritten
        .map(({ __rid, ...row }) => row)
        .map(sortable)
        .sort(),
      asWritten.map(sortable).sort(),
    );
    assert.deepEqual(rewritten.map((row) => Number(row['__rid'])).sort(), [100, 200, 300]);
    for (const row of rewritten)
      if (row['order_id'] !== undefined) assert.equal(row['__rid'], Number(row['order_id']) * 100);
  });
}

function sortable(row: Row): string {
  return JSON.stringify(row);
}
