import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { GoldRefresh } from '../../lib/core/spec.ts';
import { identity, month } from '../../lib/define/index.ts';
import type { Session } from '../../lib/ports.ts';
import { compileShop, type Given, openSession, problemsOf, shopWith } from './shop.ts';

let session: Session;
before(async () => {
  session = await openSession();
});
after(() => session[Symbol.asyncDispose]());

function touched(sql: string, partitionBy: readonly unknown[] = [identity('p')]): Given {
  const model = { sql: 'gold/revenue.sql', refresh: 'touched', partitionBy };
  return { definition: shopWith(['gold', 'revenue'], model), sql: { 'gold/revenue.sql': sql } };
}

/** What finds the partitions to compute again. */
const FOUND: readonly (readonly [name: string, given: Given, sql: string])[] = [
  [
    'a grouping key',
    touched('select region as p, sum(amount) as s from silver.orders where amount > 0 group by region having s > 0'),
    'SELECT DISTINCT region AS p FROM silver.orders',
  ],
  [
    'a grouping key by its position, and an order',
    touched("select strftime(ordered_at, '%Y') as p, count(*) from silver.orders group by 1 order by 2"),
    `SELECT DISTINCT strftime(ordered_at, '%Y') AS p FROM silver.orders`,
  ],
  [
    'GROUP BY ALL and a number beyond 2^53',
    touched('select order_id // 9007199254740993 as p, sum(amount) as s from silver.orders group by all'),
    'SELECT DISTINCT (order_id // 9007199254740993) AS p FROM silver.orders',
  ],
  [
    'rows as they are',
    touched('select * exclude (tags) from silver.orders', [month('ordered_at'), identity('region')]),
    'SELECT DISTINCT ordered_at AS ordered_at, region AS region FROM silver.orders',
  ],
  [
    'two transforms of one column',
    touched('select distinct order_id, region as p from silver.orders', [
      identity('p'),
      { column: 'p', transform: { kind: 'truncate', width: 1 } },
    ]),
    'SELECT DISTINCT region AS p FROM silver.orders',
  ],
  [
    'a joined table',
    touched('select o.region as p, c.name from silver.orders o left join silver.customers c using (customer_id)'),
    'SELECT DISTINCT o.region AS p FROM silver.orders AS o',
  ],
];

for (const [name, given, sql] of FOUND) {
  test(`touched partitions by ${name}`, async () => {
    const spec = await compileShop(session, given);
    const model = spec.models.at(-1);
    assert.ok(model?.layer === 'gold');
    const expected: GoldRefresh = { kind: 'touched', driver: { layer: 'silver', name: 'orders' }, sql };
    assert.deepEqual(model.refresh, expected);
  });
}

const PLAIN = 'an expression over the columns of the first table alone';
const OWN = "SQL whose rows depend on their own partition alone, or refresh 'full'";

/** SQL in which a row may depend on another partition, or that cannot be taken apart. */
const REFUSED: readonly (readonly [sql: string, got: string, expected: string])[] = [
  [
    'select region as p from silver.orders union select region from silver.orders',
    'a set operation at the top level',
    OWN,
  ],
  ['select region as p, sum(amount) over () as s from silver.orders', 'the window function sum', OWN],
  ['select region as p from silver.orders qualify row_number() over () = 1', 'QUALIFY', OWN],
  ['select region as p from silver.orders limit 3', 'LIMIT', OWN],
  ['select distinct on (note) region as p from silver.orders', 'DISTINCT ON', OWN],
  ['select region as p, count(*) from silver.orders group by rollup (region)', 'several grouping sets', OWN],
  ['select 1 as p, count(*) as n from silver.orders', 'the aggregate count', OWN],
  ['select region as p, random() as at from silver.orders', 'random()', OWN],
  ['with o as (from silver.orders) select region as p from o', 'something other than tables in FROM', OWN],
  ['select region as p from (from silver.orders)', 'something other than tables in FROM', OWN],
  ['select 1 as p', 'something other than tables in FROM', OWN],
  [
    'select region as p, (select count(*) from silver.customers) as n from silver.orders',
    'a table outside its FROM',
    OWN,
  ],
  [
    'select o.region as p from silver.orders o join silver.orders q using (order_id)',
    'a table that is joined to itself',
    OWN,
  ],
  ['select o.region as p from silver.customers right join silver.orders o using (customer_id)', 'a RIGHT JOIN', OWN],
  ['select region as p from silver.orders tablesample 1%', 'TABLESAMPLE', OWN],
  ['select max(region) as p from silver.orders group by note', 'the partition column "p"', PLAIN],
  ['select unnest(tags) as p from silver.orders', 'the partition column "p"', PLAIN],
  ['select * replace (note as region), 1 as p from silver.orders', '', ''],
  [
    'select c.name as p from silver.orders o left join silver.customers c using (customer_id)',
    'partition columns of another table: Referenced table "c" not found',
    PLAIN,
  ],
];

for (const [sql, got, expected] of REFUSED) {
  test(`${got === '' ? 'allows' : 'refuses'} touched partitions of ${sql}`, async () => {
    const problems = await problemsOf(session, touched(sql));
    assert.deepEqual(
      problems.map((problem) => [problem.place, problem.got, problem.expected]),
      got === '' ? [] : [['gold.revenue.refresh', `'touched' with ${got}`, expected]],
    );
  });
}

test('a star that changes the partition column is refused', async () => {
  const problems = await problemsOf(
    session,
    touched('select * replace (note as region) from silver.orders', [identity('region')]),
  );
  assert.deepEqual(
    problems.map((problem) => problem.got),
    [`'touched' with the partition column "region"`],
  );
});

test('touched partitions need partitions', async () => {
  const problems = await problemsOf(session, touched('select region as p from silver.orders', []));
  assert.deepEqual(
    problems.map((problem) => [problem.place, problem.got]),
    [['gold.revenue.partitionBy', 'nothing']],
  );
});

test('a refresh that is none', async () => {
  const problems = await problemsOf(session, { definition: shopWith(['gold', 'revenue', 'refresh'], 'partial') });
  assert.deepEqual(
    problems.map((problem) => [problem.place, problem.got, problem.expected]),
    [['gold.revenue.refresh', '"partial"', "'full' or 'touched'"]],
  );
});
