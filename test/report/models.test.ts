import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModelFact, ModelRun } from '../../lib/core/model-fact.ts';
import { entryOf } from '../../lib/report/models.ts';

const DECLARED: Omit<ModelFact, 'runs'> = {
  ...{ model: 'shop_gold.total', pipeline: 'shop', layer: 'gold', owner: 'a', tier: 1, description: null },
  ...{ inputs: ['shop_silver.orders'], outputs: ['shop_gold.total'], schedule: null },
  columns: [{ name: 'n', type: 'bigint', description: null }],
};
const run = (at: number, status: ModelRun['status'], cost_usd: number | null = null): ModelRun => {
  return { run_id: `r${at}`, status, finished: at, duration_ms: 10 * at, cost_usd };
};

test('figures are of runs that succeeded, the last run is whichever was last', () => {
  const runs = [run(1, 'SUCCEEDED', 0.5), run(3, 'SUCCEEDED'), run(4, 'SUCCEEDED', 1.5), run(9, 'FAILED', 99)];
  assert.deepEqual(entryOf({ ...DECLARED, runs }, 1_004), {
    ...DECLARED,
    last_run: { run_id: 'r9', status: 'FAILED', finished_at: '1970-01-01T00:00:00.009Z' },
    runs: 3,
    // Between the second and the third of 10, 30 and 40.
    p95_ms: 39,
    few: true,
    cost_usd: 1,
    freshness_ms: 1_000,
  });
  const none = { last_run: null, runs: 0, p95_ms: null, few: true, cost_usd: null, freshness_ms: null };
  assert.deepEqual(entryOf({ ...DECLARED, runs: [] }, 5), { ...DECLARED, ...none });
  const twenty = Array.from({ length: 20 }, (_, at) => run(at, 'SUCCEEDED'));
  assert.equal(entryOf({ ...DECLARED, runs: twenty }, 5).few, false);
  assert.equal(entryOf({ ...DECLARED, runs: [run(9, 'SUCCEEDED')] }, 5).freshness_ms, 0);
});
