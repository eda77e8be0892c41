import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { append, csv, definePipeline, identity, scd2 } from '../../lib/define/index.ts';
import { planRun } from '../../lib/query/plan-run.ts';
import { runPipeline } from '../../lib/runtime/local.ts';
import { compileTest, openTestLake, type TestLake } from '../support/test-lake.ts';

const definition = definePipeline({
  name: 'shop',
  sources: {
    orders: csv({ columns: { id: 'bigint', day: 'date', person: 'bigint' } }),
    people: csv({ columns: { id: 'bigint', name: 'string', at: 'int' } }),
  },
  silver: {
    people: { from: 'people', mode: scd2({ key: 'id', sequence: 'at' }), tags: ['dimension'] },
    orders: { from: 'orders', mode: append() },
    named: { from: 'orders', sql: 'named.sql', mode: append() },
  },
  gold: {
    days: { sql: 'days.sql', partitionBy: [identity('day')], refresh: 'touched', tags: ['slow'] },
    total: { sql: 'total.sql' },
    names: { sql: 'names.sql' },
  },
});
const SQL = {
  'named.sql': 'SELECT o.*, p.name FROM batch.orders o LEFT JOIN silver.people p ON p.id = o.person AND p.is_current',
  'days.sql': 'SELECT day, count(*) AS n FROM silver.orders GROUP BY day',
  'total.sql': 'SELECT sum(n) AS n FROM gold.days',
  'names.sql': 'SELECT name FROM silver.people',
};

const opened: TestLake[] = [];
after(() => {
  for (const lake of opened) lake.close();
});

async function openShop(): Promise<TestLake> {
  const lake = await openTestLake({ name: 'shop', definition, sql: SQL });
  opened.push(lake);
  return lake;
}

/** The same lake with other SQL, as after a deployment. */
async function deploy(
  lake: TestLake,
  sql: Readonly<Record<string, string>>,
  changed: unknown = definition,
): Promise<TestLake> {
  const spec = await compileTest({ name: 'shop', definition: changed, sql: { ...SQL, ...sql } }, lake.scratch);
  return lake.reopen((deps) => ({ ...deps, specs: async () => spec }));
}

const tablesOf = (result: { readonly tables: object }): readonly string[] => Object.keys(result.tables);

async function land(lake: TestLake, n: number): Promise<void> {
  await lake.land('orders', `${n}.csv`, `id,day,person\n${n},2026-01-0${n},1\n`);
  await lake.land('people', `${n}.csv`, `id,name,at\n1,name ${n},${n}\n`);
}

describe('a run of selected models', () => {
  test('writes these alone, and files that others take wait for the next run', async () => {
    const lake = await openShop();
    await land(lake, 1);
    const first = await lake.run({ select: ['people', 'gold.names'] });
    assert.deepEqual(tablesOf(first), ['shop_silver.people__log', 'shop_silver.people', 'shop_gold.names']);
    assert.deepEqual(first.selected, ['silver.people', 'gold.names']);
    assert.deepEqual(Object.keys(first.accounting), ['people']);
    const second = await lake.run();
    assert.deepEqual(Object.keys(second.accounting), ['orders']);
    assert.deepEqual(await lake.rows('shop_gold.total'), [{ n: '1' }]);
    assert.equal((await lake.answer()).kind, 'nothing');
  });

  test('takes files for these alone, and the other tables of their source take theirs later', async () => {
    const lake = await openShop();
    await land(lake, 1);
    const result = await lake.run({ runId: 'some', select: ['silver.orders'] });
    assert.deepEqual([result.selected, tablesOf(result)], [['silver.orders'], ['shop_silver.orders']]);
    await land(lake, 2);
    const plan = await planRun(lake.deps, 'shop');
    assert.deepEqual(
      plan.levels.flatMap(({ tables }) => tables.map(({ table, estimated_bytes }) => [table, estimated_bytes ?? 0])),
      [
        ['shop_silver.people', 44],
        ['shop_silver.orders', 29],
        ['shop_silver.named', 58],
        ['shop_gold.days', 0],
        ['shop_gold.names', 0],
        ['shop_gold.total', 0],
      ],
    );
    const rest = await lake.run({ runId: 'rest' });
    assert.deepEqual(rest.accounting['orders']?.read, 2);
    assert.deepEqual(await lake.rows('shop_silver.named', 'SELECT id, name FROM t ORDER BY ALL'), [
      { id: 1, name: 'name 2' },
      { id: 2, name: 'name 2' },
    ]);
    assert.deepEqual(await lake.rows('shop_silver.orders', 'SELECT id FROM t ORDER BY ALL'), [{ id: 1 }, { id: 2 }]);
    assert.deepEqual(
      await lake.rows('shop_ops.files', "SELECT run_id, key, table_name FROM t WHERE source = 'orders' ORDER BY ALL"),
      [
        { run_id: 'rest', key: 'bronze/shop/orders/1.csv', table_name: 'shop_silver.named' },
        { run_id: 'rest', key: 'bronze/shop/orders/2.csv', table_name: null },
        { run_id: 'some', key: 'bronze/shop/orders/1.csv', table_name: 'shop_silver.orders' },
      ],
    );
    assert.equal((await lake.answer()).kind, 'nothing');
  });

  test('takes along what is joined', async () => {
    const lake = await openShop();
    await land(lake, 1);
    const result = await lake.run({ select: ['silver.named'] });
    assert.deepEqual(result.selected, ['silver.people', 'silver.named']);
    assert.deepEqual(await lake.rows('shop_silver.named', 'SELECT id, name FROM t'), [{ id: 1, name: 'name 1' }]);
  });

  test('leaves gold to the next run that is about it, touched partitions and all', async () => {
    const lake = await openShop();
    await land(lake, 1);
    await lake.run();
    for (const n of [2, 3]) {
      await land(lake, n);
      assert.ok(!tablesOf(await lake.run({ exclude: ['tag:slow', 'total'] })).includes('shop_gold.days'));
    }
    assert.deepEqual(await lake.rows('shop_gold.days', 'SELECT day, n FROM t ORDER BY ALL'), [
      { day: '2026-01-01', n: 1 },
    ]);
    // Computed over an input that was not: it is what its inputs are.
    assert.equal((await lake.answer({ select: ['gold.total'] })).kind, 'nothing');
    const { tables } = await lake.run({ select: ['days'] });
    assert.deepEqual(
      Object.entries(tables).map(([name, { rows_added }]) => [name, rows_added]),
      [['shop_gold.days', 2]],
    );
    assert.deepEqual(tablesOf(await lake.run()), ['shop_gold.total']);
    assert.deepEqual(await lake.rows('shop_gold.total'), [{ n: '3' }]);
  });

  test('is explained as it runs', async () => {
    const lake = await openShop();
    await land(lake, 1);
    const asked = { select: ['orders+', 'named'] };
    const { selected, sources, levels } = await planRun(lake.deps, 'shop', asked);
    assert.deepEqual(selected, {
      models: ['silver.people', 'silver.orders', 'silver.named', 'gold.days', 'gold.total'],
      along: [{ model: 'silver.people', because: 'silver.named joins it' }],
    });
    assert.deepEqual(
      sources.map(({ source, files }) => [source, files]),
      [
        ['orders', 1],
        ['people', 1],
      ],
    );
    const explained = levels.flatMap(({ tables }) => tables.map(({ table }) => table));
    const result = await lake.run(asked);
    assert.deepEqual(
      tablesOf(result).filter((table) => !table.endsWith('__log')),
      explained,
    );
    const rest = await planRun(lake.deps, 'shop');
    assert.deepEqual(
      rest.levels.flatMap(({ tables }) => tables.map(({ table }) => table)),
      ['shop_gold.names'],
    );
  });

  test('shows the rows of these alone when it is dry', async () => {
    const lake = await openShop();
    await land(lake, 1);
    const { previews } = await lake.run({ dryRun: true, select: ['people'] });
    assert.deepEqual(Object.keys(previews), ['silver.people']);
  });

  test('is refused for what names nothing, and beside a rebuild', async () => {
    const lake = await openShop();
    for (const [request, expected] of [
      [{ select: ['peple'] }, /no model "peple" in shop: .*did you mean "people"\?/],
      [{ select: ['named'], exclude: ['people'] }, /silver.people is excluded, but/],
      [{ select: ['people'], rebuild: 'shop_silver.people' }, /select and exclude are for runs of models/],
    ] as const) {
      // In the state machine, which knows nothing of who looked at it before.
      const answer = await runPipeline(lake.deps, { pipeline: 'shop', ...request });
      assert.ok(answer.kind === 'ended' && answer.refused === true);
      assert.match(answer.result.error?.message ?? '', expected);
    }
  });
});

describe('state:modified', () => {
  test('is what differs from what the last run of each model had', async () => {
    const lake = await openShop();
    await land(lake, 1);
    const modified = async (at: TestLake): Promise<readonly string[]> =>
      (await planRun(at.deps, 'shop', { select: ['state:modified'] })).selected?.models ?? [];
    assert.equal((await modified(lake)).length, 6);
    await lake.run();
    assert.deepEqual(await modified(lake), []);
    const changed = await deploy(lake, {
      'names.sql': 'SELECT name AS person FROM silver.people',
      'days.sql': 'SELECT day, count(*) + 0 AS n FROM silver.orders GROUP BY day',
    });
    assert.deepEqual(await modified(changed), ['gold.days', 'gold.names']);
    // A run of one of them leaves the other modified.
    assert.deepEqual(tablesOf(await changed.run({ select: ['gold.names'] })), ['shop_gold.names']);
    assert.deepEqual(await modified(changed), ['gold.days']);
    assert.deepEqual(tablesOf(await changed.run({ select: ['state:modified+'] })), [
      'shop_gold.days',
      'shop_gold.total',
    ]);
    assert.equal((await changed.answer({ select: ['state:modified+'] })).kind, 'nothing');
    // Nor is it a model that is described in other words, or has other tags.
    const people = { ...definition.silver?.['people'], tags: ['x'], description: 'People.' };
    const words = { ...definition, silver: { ...definition.silver, people } };
    assert.deepEqual(await modified(await deploy(changed, { 'names.sql': SQL['names.sql'] }, words)), [
      'gold.days',
      'gold.names',
    ]);
  });

  test('a contract that has changed modifies the models of its source; new ones are modified and new', async () => {
    const lake = await openShop();
    await land(lake, 1);
    await lake.run();
    const other = definePipeline({
      ...definition,
      sources: { ...definition.sources, people: csv({ columns: { id: 'bigint', name: 'string', at: 'bigint' } }) },
      gold: { ...definition.gold, more: { sql: 'total.sql' } },
    });
    const changed = await deploy(lake, {}, other);
    const selected = async (text: string) => (await planRun(changed.deps, 'shop', { select: [text] })).selected?.models;
    assert.deepEqual(await selected('gold.*,state:modified'), ['gold.more']);
    assert.deepEqual(await selected('state:new'), ['gold.more']);
    assert.ok((await selected('state:modified'))?.includes('silver.people'));
  });
});
