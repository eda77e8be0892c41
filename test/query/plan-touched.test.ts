import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { append, csv, definePipeline, month } from '../../lib/define/index.ts';
import type { ExplainedTable } from '../../lib/plan/explain.ts';
import { planRun } from '../../lib/query/plan-run.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';

const HEADER = 'id,day,amount\n';
let lake: TestLake;

before(async () => {
  lake = await openTestLake({
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: { orders: csv({ columns: { id: 'int', day: 'date', amount: 'int' } }) },
      silver: { orders: { from: 'orders', mode: append() } },
      gold: { days: { sql: 'days.sql', partitionBy: [month('day')], refresh: 'touched' } },
    }),
    sql: { 'days.sql': 'SELECT day, sum(amount) AS amount FROM silver.orders GROUP BY day' },
  });
  await lake.land('orders', 'a.csv', `${HEADER}1,2026-01-10,5\n2,2026-02-10,6\n3,2026-03-10,7\n`);
  assert.equal((await lake.run()).status, 'SUCCEEDED');
});
after(() => lake.close());

/** The same lake as a release saw it that had no gold yet: its runs leave gold behind. */
function withoutGold(): TestLake {
  return lake.reopen((deps) => ({
    ...deps,
    specs: async (name) => {
      const spec = await deps.specs(name);
      const models = spec.models.filter((model) => model.layer === 'silver');
      return { ...spec, models, levels: spec.levels.slice(0, 1) };
    },
  }));
}

async function plannedGold(): Promise<ExplainedTable | undefined> {
  const { levels } = await planRun(lake.deps, 'shop');
  return levels.flatMap(({ tables }) => tables).find(({ table }) => table === 'shop_gold.days');
}

test('a plan names the partitions that a run then computes, and those that only show later', async () => {
  assert.equal(await plannedGold(), undefined);

  await lake.land('orders', 'b.csv', `${HEADER}4,2026-02-11,1\n`);
  const waiting = await plannedGold();
  assert.deepEqual(
    [waiting?.action, waiting?.reason, waiting?.partitions],
    ['replace partitions', 'this run writes silver.orders', { known: [], of_new_rows: true }],
  );

  assert.equal((await withoutGold().run()).status, 'SUCCEEDED');
  const changed = await plannedGold();
  assert.deepEqual(
    [changed?.action, changed?.reason, changed?.partitions, changed?.units],
    ['replace partitions', 'silver.orders changed', { known: ['day_month=2026-02'], of_new_rows: false }, 1],
  );

  await lake.land('orders', 'c.csv', `${HEADER}5,2026-03-11,1\n`);
  assert.deepEqual((await plannedGold())?.partitions, { known: ['day_month=2026-02'], of_new_rows: true });

  const { tables } = await lake.run();
  assert.equal(tables['shop_gold.days']?.rows_added, 4, 'two partitions of three, each of two days');
  assert.equal(await plannedGold(), undefined);
});
