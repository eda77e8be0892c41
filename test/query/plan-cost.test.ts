import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ASSUMED_RATES } from '../../lib/plan/run-work.ts';
import { planWithCost } from '../../lib/query/plan-cost.ts';
import { planRun } from '../../lib/query/plan-run.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';
import { ORDERS, SHOP } from './shop.ts';

describe('the cost of a planned run', () => {
  let lake: TestLake;
  before(async () => {
    lake = await openTestLake(SHOP);
  });
  after(() => lake.close());

  const quantity = (plan: Awaited<ReturnType<typeof planWithCost>>, item: string): number | undefined =>
    plan.cost?.lines.find((line) => line.item === item)?.quantity;

  test('is not told where there is nothing to do', async () => {
    assert.equal((await planWithCost(lake.deps, 'shop')).cost, null);
  });

  test('comes with the plan itself, from assumed rates at first', async () => {
    await lake.land('orders', 'a.csv', `${ORDERS}1,x,1\n`);
    const { cost, maintenance, idle, ...plan } = await planWithCost(lake.deps, 'shop');
    assert.deepEqual(maintenance, []);
    assert.equal(idle.lines[0]?.item, 'alarms');
    assert.deepEqual(plan, await planRun(lake.deps, 'shop'));
    assert.deepEqual(cost?.rates, { ...ASSUMED_RATES, run: null });
    // One call of Level for the unit of orders and the two of gold; prices has no files.
    assert.equal(quantity({ ...plan, cost, maintenance, idle }, 'state transitions'), 6 + 3);
    assert.equal(cost?.glue.seconds, 60);
  });

  test('goes by the rate of a run that was worth measuring', async () => {
    await lake.run({ runId: 'small' });
    await lake.land('orders', 'b.csv', `${ORDERS}2,x,2\n`);
    assert.equal((await planWithCost(lake.deps, 'shop')).cost?.rates.run, null);

    const text = `${ORDERS}${'3,abcdefghijklmnopqrstuvwxyz,1.00\n'.repeat(160_000)}`;
    await lake.land('orders', 'large.csv', text);
    const { steps } = await lake.run({ runId: 'large' });
    await lake.land('orders', 'c.csv', `${ORDERS}4,x,4\n`);
    const plan = await planWithCost(lake.deps, 'shop');
    const ms = steps.filter(({ step, level }) => step === 'Stage' && level === 0).reduce((sum, one) => sum + one.ms, 0);
    const bytes = text.length + `${ORDERS}2,x,2\n`.length;
    assert.equal(plan.cost?.rates.run, 'large');
    assert.equal(plan.cost?.rates.bytesPerSecond.parse, Math.round(bytes / (ms / 1_000) / lake.deps.settings.threads));
    // The gold tables read the table that is there.
    assert.ok((quantity(plan, 'GET') ?? 0) > 0);
  });
});
