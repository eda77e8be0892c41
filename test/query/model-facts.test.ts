import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csv, definePipeline, upsert } from '../../lib/define/index.ts';
import { modelFacts } from '../../lib/query/catalog/model-facts.ts';
import { openTestLake } from '../support/test-lake.ts';

const shop = definePipeline({
  name: 'shop',
  owner: 'Ann',
  tier: 2,
  schedule: 'rate(1 day)',
  schedules: { nightly: { cron: '0 2 * * *', zone: 'Europe/Berlin' } },
  sources: {
    items: csv({ columns: { id: { type: 'int', required: true, description: 'The number of the item.' }, at: 'int' } }),
  },
  silver: { items: { from: 'items', mode: upsert({ key: 'id', sequence: 'at' }), description: 'Items.' } },
  gold: {
    count: { sql: 'count.sql', owner: 'Bob', tier: 1, export: { csv: { to: 'count.csv' } } },
    later: { sql: 'count.sql', branch: 'nightly' },
  },
});

test('models have what is declared of them, or of their pipeline, and their runs of some days', async () => {
  const lake = await openTestLake({
    name: 'shop',
    definition: shop,
    sql: { 'count.sql': 'SELECT count(*) AS n FROM silver.items' },
  });
  try {
    const spec = await lake.deps.specs('shop');
    const before = await modelFacts(lake.deps, spec, 30);
    assert.deepEqual(
      before.map(({ model, runs }) => [model, runs]),
      [
        ['shop_silver.items', []],
        ['shop_gold.count', []],
        ['shop_gold.later', []],
      ],
    );
    await lake.land('items', 'a.csv', 'id,at\n1,1\n');
    await lake.run({ runId: 'one' });
    await lake.land('items', 'b.csv', 'id,at\n2,1\n');
    await lake.run({ runId: 'two' });
    const [items, count, later] = await modelFacts(lake.deps, spec, 30);
    const { runs, ...declared } = items ?? assert.fail();
    assert.deepEqual(declared, {
      ...{
        model: 'shop_silver.items',
        pipeline: 'shop',
        layer: 'silver',
        owner: 'Ann',
        tier: 2,
        description: 'Items.',
      },
      inputs: ['bronze/shop/items'],
      outputs: ['shop_silver.items', 'shop_silver.items__log'],
      schedule: 'rate(1 day)',
      columns: [
        { name: 'id', type: 'int', description: 'The number of the item.' },
        { name: 'at', type: 'int', description: null },
      ],
    });
    assert.deepEqual(
      runs.map(({ run_id, status }) => [run_id, status]),
      [
        ['one', 'SUCCEEDED'],
        ['two', 'SUCCEEDED'],
      ],
    );
    assert.ok(
      runs.every(({ finished, duration_ms, cost_usd }) => finished > 1.7e12 && duration_ms > 0 && Number(cost_usd) > 0),
    );
    assert.deepEqual(
      [count?.owner, count?.tier, count?.inputs, count?.outputs],
      ['Bob', 1, ['shop_silver.items'], ['shop_gold.count', 'exports/shop/count.csv']],
    );
    assert.equal(later?.schedule, 'nightly: 0 2 * * * (Europe/Berlin)');
    // Years later there are none of the last days.
    const inYears = { ...lake.deps, clock: { now: () => new Date('2030-01-01T00:00:00Z') } };
    assert.deepEqual(
      (await modelFacts(inYears, spec, 30)).map((one) => one.runs),
      [[], [], []],
    );
  } finally {
    lake.close();
  }
});
