import assert from 'node:assert/strict';
import { test } from 'node:test';
import { append, csv, definePipeline, month, upsert } from '../../lib/define/index.ts';
import { planRun } from '../../lib/query/plan-run.ts';
import { openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

const COLUMNS = { id: 'bigint', day: 'date' } as const;

function shop(mode: unknown, gold: Readonly<Record<string, string>>, options: object = {}): TestPipeline {
  return {
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: {
        orders: csv({ columns: COLUMNS, drift: 'evolve' }),
        people: csv({ columns: { id: 'bigint', name: 'string' } }),
      },
      silver: {
        orders: { from: 'orders', mode, ...(mode === MODES.append ? { partitionBy: [month('day')] } : {}) },
        people: { from: 'people', mode: append() },
        own: { from: 'orders', sql: 'own.sql', mode: append() },
      },
      gold: Object.fromEntries(Object.keys(gold).map((name) => [name, { sql: `${name}.sql`, ...options }])),
    } as Parameters<typeof definePipeline>[0]),
    sql: {
      'own.sql': 'SELECT id FROM batch.orders',
      ...Object.fromEntries(Object.entries(gold).map(([name, sql]) => [`${name}.sql`, sql])),
    },
  };
}

const MODES = { append: append(), upsert: upsert({ key: 'id', sequence: 'day', buckets: 2 }) };
const [PLAIN, WIDE] = ['id,day\n1,2026-01-05\n', 'id,day,w\n2,2026-02-06,new\n'];

async function withLake(
  pipeline: TestPipeline,
  use: (lake: TestLake, warned: string[]) => Promise<void>,
): Promise<void> {
  const opened = await openTestLake(pipeline);
  const warned: string[] = [];
  const log = {
    info: () => {},
    warn: (message: string, facts?: object) => void warned.push(`${message} ${JSON.stringify(facts)}`),
  };
  const lake = opened.reopen((deps) => ({ ...deps, log }));
  try {
    await land(lake, 'people', 'p.csv', 'id,name\n1,Ann\n2,Bob\n');
    await land(lake, 'orders', 'a.csv', PLAIN);
    warned.length = 0;
    await use(lake, warned);
  } finally {
    opened.close();
  }
}

async function land(lake: TestLake, source: string, file: string, text: string): Promise<void> {
  await lake.land(source, file, text);
  const { status, error } = await lake.run();
  assert.equal(status, 'SUCCEEDED', error?.message);
}

for (const [name, mode] of Object.entries(MODES)) {
  test(`a star in gold follows columns that drift brings to ${name}, and a star over that gold`, async () => {
    const gold = {
      all: 'SELECT *, id + 1 AS more FROM silver.orders',
      named: 'SELECT id FROM silver.orders',
      again: 'SELECT * FROM gold.all ORDER BY id',
    };
    await withLake(shop(mode, gold), async (lake) => {
      await land(lake, 'orders', 'b.csv', WIDE);
      const rows = [
        { id: 1, day: '2026-01-05', more: 2, w: null },
        { id: 2, day: '2026-02-06', more: 3, w: 'new' },
      ];
      const read = 'SELECT id::INT AS id, day::VARCHAR AS day, more::INT AS more, w FROM t ORDER BY id';
      assert.deepEqual(await lake.rows('shop_gold.all', read), rows);
      assert.deepEqual(await lake.rows('shop_gold.again', read), rows);
      assert.deepEqual(Object.keys((await lake.rows('shop_gold.named'))[0] ?? {}), ['id']);
      const { status, changes } = await planRun(lake.deps, 'shop');
      assert.deepEqual({ status, changes }, { status: 'NOTHING_TO_DO', changes: [] });
      await land(lake, 'orders', 'c.csv', 'id,day\n3,2026-02-07\n');
      assert.deepEqual(await lake.rows('shop_gold.again', 'SELECT id::INT AS id, w FROM t ORDER BY id'), [
        { id: 1, w: null },
        { id: 2, w: 'new' },
        { id: 3, w: null },
      ]);
    });
  });
}

test('so does gold that is computed in parts', async () => {
  const options = { partitionBy: [month('day')], refresh: 'touched' };
  await withLake(shop(MODES.append, { all: 'SELECT * FROM silver.orders' }, options), async (lake) => {
    await land(lake, 'orders', 'b.csv', WIDE);
    assert.deepEqual(await lake.rows('shop_gold.all', 'SELECT id::INT AS id, w FROM t ORDER BY id'), [
      { id: 1, w: null },
      { id: 2, w: 'new' },
    ]);
  });
});

test('SQL that cannot do with such a column goes on without it, and says so', async () => {
  const gold = {
    joined: 'SELECT name, w FROM silver.orders JOIN (SELECT id, name, name AS w FROM silver.people) USING (id)',
  };
  await withLake(shop(MODES.append, gold), async (lake, warned) => {
    await land(lake, 'orders', 'b.csv', WIDE);
    assert.deepEqual(await lake.rows('shop_gold.joined'), [
      { name: 'Ann', w: 'Ann' },
      { name: 'Bob', w: 'Bob' },
    ]);
    const [left] = warned.filter((text) => text.includes('gold.joined'));
    assert.match(left ?? '', /left out of gold .*"columns":"silver\.orders\.w".*[Aa]mbiguous/);
  });
});

test('a name of its own in SQL is not taken for such a column', async () => {
  const gold = {
    twice: 'SELECT *, id * 10 AS w FROM silver.orders',
    alias: 'SELECT id, 7 AS w FROM silver.orders WHERE w = 7',
    inside:
      'SELECT count(*) AS n FROM (SELECT DISTINCT * EXCLUDE (id, day) FROM (SELECT *, 1 AS one FROM silver.orders))',
  };
  await withLake(shop(MODES.append, gold), async (lake, warned) => {
    await land(lake, 'orders', 'b.csv', WIDE);
    assert.deepEqual(await lake.rows('shop_gold.twice', 'SELECT id::INT AS id, w::INT AS w FROM t ORDER BY id'), [
      { id: 1, w: 10 },
      { id: 2, w: 20 },
    ]);
    assert.deepEqual(await lake.rows('shop_gold.alias', 'SELECT id::INT AS id, w FROM t ORDER BY id'), [
      { id: 1, w: 7 },
      { id: 2, w: 7 },
    ]);
    assert.deepEqual(await lake.rows('shop_gold.inside', 'SELECT n::INT AS n FROM t'), [{ n: 2 }]);
    const left = warned.filter((text) => text.includes('left out of gold'));
    assert.equal(left.length, 1);
    assert.match(left[0] ?? '', /"model":"gold\.twice".*with them column w would be another/);
  });
});

test('a name that gold’s own partitions have is left to them', async () => {
  const options = { partitionBy: [month('day')] };
  await withLake(shop(MODES.upsert, { all: 'SELECT * FROM silver.orders' }, options), async (lake, warned) => {
    const [partition] = (await lake.metadata('shop_gold.all'))?.['partition-specs'][0]?.fields ?? [];
    assert.equal(partition?.name, 'day_month');
    await land(lake, 'orders', 'b.csv', 'id,day,day_month,w\n2,2026-02-06,x,new\n');
    const names = async (table: string) => Object.keys((await lake.rows(table))[0] ?? {});
    assert.deepEqual(await names('shop_gold.all'), ['id', 'day']);
    assert.equal((await lake.rows('shop_gold.all')).length, 2);
    assert.match(warned.find((text) => text.includes('gold.all')) ?? '', /day_month is the name of a partition field/);
  });
});

test('what gold has of such columns stays where another comes that it cannot do with', async () => {
  const options = { partitionBy: [month('day')] };
  await withLake(shop(MODES.upsert, { all: 'SELECT * FROM silver.orders' }, options), async (lake, warned) => {
    await land(lake, 'orders', 'b.csv', 'id,day,w\n2,2026-02-06,new\n');
    await land(lake, 'orders', 'c.csv', 'id,day,w,day_month,v\n3,2026-02-07,newer,x,y\n');
    assert.deepEqual(await lake.rows('shop_gold.all', 'SELECT id, w FROM t ORDER BY id'), [
      { id: 1, w: null },
      { id: 2, w: 'new' },
      { id: 3, w: 'newer' },
    ]);
    const said = warned.find((text) => text.includes('left out of gold')) ?? '';
    assert.match(said, /silver\.orders\.day_month, silver\.orders\.v/);
    assert.doesNotMatch(said, /orders\.w\b/);
  });
});

test('a model with SQL of its own takes no such column, and says which', async () => {
  await withLake(shop(MODES.append, {}), async (lake, warned) => {
    await land(lake, 'orders', 'b.csv', WIDE);
    assert.deepEqual(Object.keys((await lake.rows('shop_silver.own'))[0] ?? {}), ['id']);
    const own = warned.filter((text) => text.includes('"model":"silver.own"'));
    assert.equal(own.length, 1);
    assert.match(own[0] ?? '', /SQL of its own .*"columns":"w"/);
  });
});
