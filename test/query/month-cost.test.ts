import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { InvalidInput } from '../../lib/core/errors.ts';
import type { RunResult } from '../../lib/core/run.ts';
import { append, csv, definePipeline } from '../../lib/define/index.ts';
import { costOfMonth } from '../../lib/query/month-cost.ts';
import { planWithCost } from '../../lib/query/plan-cost.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';
import { ORDERS, PRICES, SHOP } from './shop.ts';

describe('the cost of a month', () => {
  let lake: TestLake;
  const results: RunResult[] = [];
  const estimates: number[] = [];
  before(async () => {
    lake = await openTestLake(SHOP);
    for (const [source, text] of [
      ['orders', `${ORDERS}1,x,1.10\n2,y,2.20\n`],
      ['prices', `${PRICES}x,9.99\n`],
      ['orders', `${ORDERS}3,x,3.30\n`],
    ] as const) {
      const run = results.length;
      await lake.land(source, `${run}.csv`, text);
      estimates.push((await planWithCost(lake.deps, 'shop')).cost?.usd ?? Number.NaN);
      results.push(await lake.run({ runId: `r${run}` }));
    }
  });
  after(() => lake.close());

  const sum = (numbers: readonly number[]): number => Number(numbers.reduce((all, one) => all + one, 0).toFixed(9));

  test('is what its runs recorded, beside what the plan of each had said before it', async () => {
    const { pipelines, ...all } = await costOfMonth(lake.deps, '2026-01');
    const [shop, ...others] = pipelines;
    assert.deepEqual(others, []);
    assert.deepEqual([shop?.pipeline, shop?.runs, shop?.assumed], ['shop', 3, 0]);
    assert.deepEqual(shop?.left_out, { failed: 0, maintenance: 0, gone: 0 });
    assert.equal(shop?.recorded_usd, sum(results.map(({ cost }) => cost?.usd ?? Number.NaN)));
    assert.equal(shop?.estimated_usd, sum(estimates));
    assert.deepEqual([all.recorded_usd, all.estimated_usd], [shop?.recorded_usd, shop?.estimated_usd]);
    const line = (item: string) => shop?.lines.find((one) => one.item === item);
    const counted = (item: string): number =>
      sum(
        results
          .flatMap(({ cost }) => (cost?.lines ?? []).filter((one) => one.item === item))
          .map((one) => one.quantity),
      );
    assert.equal(line('GET')?.recorded?.quantity, counted('GET'));
    // Three small runs, each in one call of Level.
    assert.deepEqual(
      [line('state transitions')?.estimated?.quantity, line('state transitions')?.recorded?.quantity],
      [27, 27],
    );
    assert.equal(line('files read')?.estimated, null);
    assert.equal(shop?.idle?.pipeline_usd, (await planWithCost(lake.deps, 'shop')).idle.pipeline_usd);
  });

  test('leaves out, and counts, what no cost is known of', async () => {
    await lake.store.remove('ops/shop/_runs/r0/result.json');
    const [shop] = (await costOfMonth(lake.deps, '2026-01', 'shop')).pipelines;
    assert.deepEqual([shop?.runs, shop?.left_out], [2, { failed: 0, maintenance: 0, gone: 1 }]);
    assert.equal(shop?.recorded_usd, sum(results.slice(1).map(({ cost }) => cost?.usd ?? Number.NaN)));
  });

  test('of another month is nothing, and a month is asked for', async () => {
    assert.deepEqual((await costOfMonth(lake.deps, '2025-12')).pipelines, []);
    const [shop] = (await costOfMonth(lake.deps, '2025-12', 'shop')).pipelines;
    assert.deepEqual([shop?.runs, shop?.recorded_usd, shop?.lines, shop?.idle], [0, 0, [], null]);
    for (const month of ['2026-13', '2026', '2026-1', 'x'])
      await assert.rejects(costOfMonth(lake.deps, month), (cause) => {
        return cause instanceof InvalidInput && cause.message.includes('expected one such as 2026-11');
      });
  });

  test('has what is computed by the run date alone, though no file says so', async () => {
    const definition = definePipeline({
      name: 'leave',
      sources: { days: csv({ columns: { day: 'date' } }) },
      silver: { days: { from: 'days', mode: append() } },
      gold: { ahead: { sql: 'ahead.sql' } },
    });
    const sql = { 'ahead.sql': 'SELECT day FROM silver.days WHERE day > run_date()' };
    const leave = await openTestLake({ name: 'leave', definition, sql });
    try {
      await leave.land('days', 'a.csv', 'day\n2026-01-09\n');
      const planned: number[] = [];
      for (const day of [4, 5]) {
        const now = new Date(Date.UTC(2026, 0, day));
        const { deps, run } = leave.reopen((given) => ({ ...given, clock: { now: () => now } }));
        planned.push((await planWithCost(deps, 'leave')).cost?.usd ?? Number.NaN);
        await run();
      }
      const [found] = (await costOfMonth(leave.deps, '2026-01', 'leave')).pipelines;
      assert.deepEqual([found?.runs, found?.estimated_usd], [2, sum(planned)]);
    } finally {
      leave.close();
    }
  });
});
