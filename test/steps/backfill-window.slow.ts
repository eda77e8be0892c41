import assert from 'node:assert/strict';
import { test } from 'node:test';
import { append, csv, definePipeline, full, month, replace, upsert } from '../../lib/define/index.ts';
import { planFiles } from '../../lib/table/read.ts';
import { compileTest, openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

/** A backfill of some partitions: these are as after a backfill of all, the others keep their very files. */

const SQL =
  'SELECT o.id, o.day, o.amount * r.rate AS amount FROM batch.orders o LEFT JOIN silver.rates r ON r.kind = o.kind';

function shop(orders: object, sql = SQL): TestPipeline {
  return {
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: {
        orders: csv({ columns: { id: 'bigint', day: 'date', kind: 'string', amount: 'int' } }),
        rates: csv({ columns: { kind: 'string', rate: 'int', seq: 'int' } }),
      },
      silver: {
        rates: { from: 'rates', mode: upsert({ key: 'kind', sequence: 'seq' }) },
        orders: { from: 'orders', sql: 'orders.sql', ...orders },
      },
      gold: { totals: { sql: 'totals.sql' } },
    } as Parameters<typeof definePipeline>[0]),
    sql: {
      'orders.sql': sql,
      'totals.sql': 'SELECT sum(amount)::BIGINT AS amount, count(*) AS orders FROM silver.orders',
    },
  };
}

const HEADER = 'id,day,kind,amount\n';

async function live(lake: TestLake): Promise<void> {
  await lake.land('rates', '1.csv', 'kind,rate,seq\na,1,1\n');
  await lake.land(
    'orders',
    '1.csv',
    `${HEADER}1,2026-01-05,a,1\n2,2026-02-06,a,2\n2,2026-02-06,a,2\nx,2026-02-06,a,2\n`,
  );
  await lake.land('orders', '2.csv', `${HEADER}3,2026-02-07,a,3\n4,2026-03-01,a,4\n5,,a,5\n`);
  assert.equal((await lake.run({ runId: 'run-1' })).status, 'SUCCEEDED');
  await lake.land('orders', '3.csv', `${HEADER}6,2026-02-08,a,6\n7,2026-03-02,a,7\n`);
  await lake.land('rates', '2.csv', 'kind,rate,seq\na,10,2\n');
  assert.equal((await lake.run({ runId: 'run-2', select: ['rates'] })).status, 'SUCCEEDED');
  assert.equal((await lake.run({ runId: 'run-3' })).status, 'SUCCEEDED');
  await lake.land('orders', 'waits.csv', `${HEADER}8,2026-02-09,a,8\n9,2026-01-09,a,9\n`);
}

async function filesOf(lake: TestLake): Promise<readonly string[]> {
  const metadata = await lake.metadata('shop_silver.orders');
  assert.ok(metadata);
  return (await planFiles(lake.store, metadata)).map(({ path }) => path).sort();
}

const ROWS = 'SELECT id, amount FROM t ORDER BY ALL';
const REJECTED = "SELECT source_file, line, codes FROM t WHERE status <> 'released' ORDER BY ALL";
const WINDOW = { from: '2026-02-01', to: '2026-03-01' };

type Rows = readonly (readonly [id: number, amount: number])[];
const pairs = async (lake: TestLake): Promise<Rows> =>
  (await lake.rows('shop_silver.orders', ROWS)).map((row) => [Number(row['id']), Number(row['amount'])]);

const CASES: readonly (readonly [name: string, orders: object, rows: Rows])[] = [
  [
    'append',
    { mode: append() },
    [
      [1, 1],
      [2, 20],
      [2, 20],
      [3, 30],
      [4, 4],
      [5, 5],
      [6, 60],
      [7, 70],
    ],
  ],
  [
    'rows told apart',
    { mode: append({ dedupe: 'row' }) },
    [
      [1, 1],
      [2, 20],
      [3, 30],
      [4, 4],
      [5, 5],
      [6, 60],
      [7, 70],
    ],
  ],
  [
    'replace',
    { mode: replace() },
    [
      [1, 1],
      [5, 5],
      [6, 60],
      [7, 70],
    ],
  ],
];

for (const [name, mode, rows] of CASES) {
  test(`${name}: only the partitions of the time are made anew`, async () => {
    const lake = await openTestLake(shop({ ...mode, partitionBy: [month('day')] }));
    try {
      await live(lake);
      const before = await filesOf(lake);
      const rejected = await lake.rows('shop_ops.quarantine', REJECTED);
      const dry = await lake.run({ runId: 'dry', dryRun: true, select: ['orders+'], backfill: WINDOW });
      assert.deepEqual(dry.partitions, { 'shop_silver.orders': ['day_month=2026-02'] });
      assert.deepEqual(await filesOf(lake), before);
      const result = await lake.run({ runId: 'again', select: ['orders+'], backfill: WINDOW });
      assert.equal(result.status, 'SUCCEEDED', result.error?.message);
      assert.deepEqual(result.partitions, { 'shop_silver.orders': ['day_month=2026-02'] });
      assert.deepEqual(await pairs(lake), rows);
      const outside = (files: readonly string[]): readonly string[] =>
        files.filter((path) => !path.includes('2026-02'));
      assert.deepEqual(outside(await filesOf(lake)), outside(before));
      assert.deepEqual(await lake.rows('shop_ops.quarantine', REJECTED), rejected);
      const total = rows.reduce((sum, [, amount]) => sum + amount, 0);
      assert.deepEqual(await lake.rows('shop_gold.totals'), [{ amount: total, orders: rows.length }]);
      // What waited is taken by the next run, whole.
      assert.equal((await lake.run({ runId: 'next' })).status, 'SUCCEEDED');
      assert.deepEqual(
        (await pairs(lake)).filter(([id]) => id > 7),
        [
          [8, 80],
          [9, 90],
        ],
      );
    } finally {
      lake.close();
    }
  });
}

test('a partition of which no row is left is empty, and files of times that none has change nothing', async () => {
  const lake = await openTestLake(shop({ mode: append(), partitionBy: [month('day')] }));
  try {
    await live(lake);
    await lake.store.remove('bronze/shop/orders/3.csv');
    const asked = { from: '2026-03-01', allow_missing: true };
    const result = await lake.run({ runId: 'again', select: ['orders+'], backfill: asked });
    assert.equal(result.status, 'SUCCEEDED', result.error?.message);
    assert.deepEqual(await pairs(lake), [
      [1, 1],
      [2, 2],
      [2, 2],
      [3, 3],
      [4, 40],
      [5, 5],
      [6, 60],
    ]);
    const files = await filesOf(lake);
    const none = await lake.run({ runId: 'none', select: ['orders+'], backfill: { ...asked, from: '2030-01-01' } });
    assert.deepEqual(none.partitions, { 'shop_silver.orders': [] });
    assert.deepEqual(await filesOf(lake), files);
  } finally {
    lake.close();
  }
});

const REFUSED: readonly (readonly [name: string, orders: object, request: object, message: RegExp])[] = [
  [
    'a mode without partitions of its own',
    { mode: full() },
    {},
    /shop_silver\.orders: its mode is full; expected append or replace/,
  ],
  ['no partitions', { mode: append() }, {}, /shop_silver\.orders: it is not partitioned by a time/],
  [
    'an end within a partition',
    { mode: append(), partitionBy: [month('day')] },
    { from: '2026-02-02' },
    /is within one/,
  ],
  [
    'no span',
    { mode: append(), partitionBy: [month('day')] },
    { to: '2026-02-01' },
    /expected an end after the beginning/,
  ],
  ['no time', { mode: append(), partitionBy: [month('day')] }, { to: 'now' }, /got to "now"; expected ISO 8601/],
];

for (const [name, orders, request, message] of REFUSED) {
  test(`refused, and nothing done: ${name}`, async () => {
    const lake = await openTestLake(shop(orders));
    try {
      await live(lake);
      const result = await lake.run({ runId: 'no', select: ['orders+'], backfill: { ...WINDOW, ...request } });
      assert.equal(result.status, 'FAILED');
      assert.match(result.error?.message ?? '', message);
    } finally {
      lake.close();
    }
  });
}

test('refused where the pipeline has changed, and where other tables were meant as well', async () => {
  const lake = await openTestLake(shop({ mode: append(), partitionBy: [month('day')] }));
  try {
    await live(lake);
    const all = await lake.run({ runId: 'all', backfill: WINDOW });
    assert.match(all.error?.message ?? '', /shop_silver\.rates: its mode is upsert; .*\nLeave them out \(--select\)/);
    const spec = await compileTest(
      shop({ mode: append(), partitionBy: [month('day')] }, SQL.replace('*', '+')),
      lake.scratch,
    );
    const changed = lake.reopen((deps) => ({ ...deps, specs: async () => spec }));
    const result = await changed.run({ runId: 'no', select: ['orders+'], backfill: WINDOW });
    assert.match(result.error?.message ?? '', /shop_silver\.orders: .*SQL.* changed, which concerns all of its rows/);
  } finally {
    lake.close();
  }
});
