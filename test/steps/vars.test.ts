import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { InvalidInput } from '../../lib/core/errors.ts';
import { csv, definePipeline, identity, query, upsert } from '../../lib/define/index.ts';
import { planRun } from '../../lib/query/plan-run.ts';
import { runPipeline } from '../../lib/runtime/local.ts';
import { Crash } from '../ports/faults.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';

const definition = definePipeline({
  name: 'shop',
  vars: {
    least: { type: 'decimal(10,2)', default: '10.00', description: 'What is worth counting.' },
    since: { type: 'date', default: null },
    regions: { type: 'list<string>', default: ['n', 's'] },
    gone: { type: 'string', default: 'D', in: ['D', 'X'] },
  },
  sources: {
    orders: csv({
      columns: {
        id: 'bigint',
        region: { type: 'string', checks: { known_region: "list_contains(var('regions'), region)" } },
        day: 'date',
        amount: 'decimal(10,2)',
        op: 'string',
      },
    }),
  },
  silver: {
    orders: {
      from: 'orders',
      sql: 'orders.sql',
      mode: upsert({ key: 'id', sequence: 'day', deleteWhen: "op = var('gone')" }),
    },
  },
  gold: {
    counted: {
      sql: 'counted.sql',
      partitionBy: [identity('region')],
      refresh: 'touched',
      expect: { enough: query("SELECT * FROM this WHERE amount < var('least')") },
    },
    all_orders: { sql: 'all.sql' },
  },
});
const sql = {
  'orders.sql': "SELECT *, amount >= var('least') AS large FROM batch.orders",
  'counted.sql': `SELECT region, sum(amount) AS amount FROM silver.orders
WHERE amount >= var('least') AND (var('since') IS NULL OR day >= var('since')) GROUP BY region`,
  'all.sql': 'SELECT count(*) AS n FROM silver.orders',
};

const opened: TestLake[] = [];
after(() => {
  for (const lake of opened) lake.close();
});

async function openShop(): Promise<TestLake> {
  const lake = await openTestLake({ name: 'shop', definition, sql });
  opened.push(lake);
  await lake.land(
    'orders',
    'a.csv',
    'id,region,day,amount,op\n1,n,2026-01-01,5,I\n2,n,2026-02-01,10,I\n3,s,2026-03-01,20,I\n4,w,2026-03-01,20,I\n',
  );
  return lake;
}

const counted = (lake: TestLake) => lake.rows('shop_gold.counted');

describe('variables', () => {
  test('have their defaults, typed, wherever SQL stands', async () => {
    const lake = await openShop();
    const { status, accounting } = await lake.run();
    assert.equal(status, 'SUCCEEDED');
    assert.equal(accounting['orders']?.quarantined, 1);
    assert.deepEqual(await counted(lake), [
      { region: 'n', amount: '10.00' },
      { region: 's', amount: '20.00' },
    ]);
    assert.deepEqual(await lake.rows('shop_silver.orders', 'SELECT id, large FROM t ORDER BY ALL'), [
      { id: 1, large: false },
      { id: 2, large: true },
      { id: 3, large: true },
    ]);
  });

  test('a run may be given others, and gold that uses them is computed anew, and back', async () => {
    const lake = await openShop();
    await lake.run();
    const { tables } = await lake.run({ vars: { least: '5', since: '2026-02-01' } });
    assert.deepEqual(Object.keys(tables), ['shop_gold.counted']);
    assert.deepEqual(await counted(lake), [
      { region: 'n', amount: '10.00' },
      { region: 's', amount: '20.00' },
    ]);
    await lake.run({ vars: { least: '5' } });
    assert.deepEqual((await counted(lake))[0], { region: 'n', amount: '15.00' });
    // The next run goes back to the defaults.
    assert.deepEqual(Object.keys((await lake.run()).tables), ['shop_gold.counted']);
    assert.deepEqual((await counted(lake))[0], { region: 'n', amount: '10.00' });
    assert.equal((await lake.answer()).kind, 'nothing');
  });

  test('lists, and conditions of contracts and modes', async () => {
    const lake = await openShop();
    const { accounting } = await lake.run({ vars: { regions: '["w"]' } });
    assert.deepEqual(accounting['orders'], { read: 4, accepted: 1, quarantined: 3, condemned: 0, duplicates: 0 });
    await lake.land('orders', 'b.csv', 'id,region,day,amount,op\n4,w,2026-04-01,20,X\n');
    await lake.run({ vars: { regions: '["w"]', gone: 'X' } });
    assert.deepEqual(await lake.rows('shop_silver.orders'), []);
  });

  test('are those of the plan when a run is resumed', async () => {
    const lake = await openShop();
    let dead = false;
    const alive = async <T>(effect: () => Promise<T>): Promise<T> => {
      if (dead) throw new Crash('the process ended');
      return effect();
    };
    const dying = lake.reopen((deps) => ({
      ...deps,
      store: {
        ...deps.store,
        async write(key, bytes, condition) {
          dead ||= key.endsWith('level-1/plan.json');
          return alive(() => deps.store.write(key, bytes, condition));
        },
        publish: (path, key) => alive(() => deps.store.publish(path, key)),
        remove: (key) => alive(() => deps.store.remove(key)),
      },
    }));
    await dying.answer({ runId: 'a', vars: { least: '5' } });
    const after = lake.reopen((deps) => ({
      ...deps,
      isGone: () => true,
      settings: { ...deps.settings, holder: () => 'other' },
    }));
    assert.equal((await after.run({ runId: 'a' })).status, 'SUCCEEDED');
    assert.deepEqual((await counted(lake))[0], { region: 'n', amount: '15.00' });
  });

  test('are shown in a plan, which knows what they make stale', async () => {
    const lake = await openShop();
    await lake.run();
    const { vars, levels } = await planRun(lake.deps, 'shop', { vars: { least: '5.5' } });
    assert.deepEqual(vars, { least: '5.5', since: null, regions: '["n","s"]', gone: 'D' });
    assert.deepEqual(
      levels.flatMap(({ tables }) => tables.map(({ table, reason }) => [table, reason])),
      [['shop_gold.counted', 'the model has changed']],
    );
    assert.equal((await planRun(lake.deps, 'shop')).status, 'NOTHING_TO_DO');
  });

  for (const [name, vars, expected] of [
    [
      'an unknown one',
      { lest: '5' },
      /no variable "lest" in shop: expected one of least, since, regions, gone; did you mean "least"\?/,
    ],
    [
      'a value of another type',
      { since: 'soon', least: '1.005' },
      /vars: least: got "1.005"; expected decimal\(10,2\)\n.*vars: since: got "soon"; expected date/,
    ],
    [
      'a value that it may not have',
      { gone: 'Y', least: '1.005' },
      /vars: least: got "1.005"; expected decimal\(10,2\)\n.*vars: gone: got "Y"; expected one of D, X/,
    ],
  ] as const) {
    test(`${name} is refused before anything is done`, async () => {
      const lake = await openShop();
      await assert.rejects(
        planRun(lake.deps, 'shop', { vars }),
        (error) => error instanceof InvalidInput && expected.test(error.message),
      );
      // In the state machine, which knows nothing of who looked at it before.
      const answer = await runPipeline(lake.deps, { pipeline: 'shop', vars });
      assert.ok(answer.kind === 'ended' && answer.refused === true, JSON.stringify(answer));
      assert.match(answer.result.error?.message ?? '', expected);
    });
  }
});
