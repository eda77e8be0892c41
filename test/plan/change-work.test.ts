import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { before, test } from 'node:test';
import type { PipelineSpec } from '../../lib/core/spec.ts';
import { append, csv, definePipeline, scd2 } from '../../lib/define/index.ts';
import { type ChangeFacts, workOfChange } from '../../lib/plan/change-work.ts';
import type { Rates } from '../../lib/plan/run-work.ts';
import { compileTest } from '../support/test-lake.ts';

const PIPELINE = {
  name: 'shop',
  definition: definePipeline({
    name: 'shop',
    sources: {
      orders: csv({ columns: { id: 'bigint', day: 'date' } }),
      people: csv({ columns: { id: 'bigint', at: 'int' } }),
    },
    silver: {
      orders: { from: 'orders', mode: append() },
      people: { from: 'people', mode: scd2({ key: 'id', sequence: 'at', buckets: 2 }) },
    },
    gold: { days: { sql: 'days.sql' }, best: { sql: 'best.sql' }, names: { sql: 'names.sql' } },
  }),
  sql: {
    'days.sql': 'SELECT day, count(*) AS n FROM silver.orders GROUP BY day',
    'best.sql': 'SELECT max(n) AS n FROM gold.days',
    'names.sql': 'SELECT count(*) AS n FROM silver.people',
  },
};

/** Work takes a second for each 1,000 bytes of a kind, and nothing else takes time. */
const RATES: Rates = { bytesPerSecond: { parse: 1_000, merge: 1_000, model: 1_000 }, startMs: 0, requestMs: 0 };

let facts: ChangeFacts;

before(async () => {
  const spec = await compileTest(PIPELINE, tmpdir());
  const step = { ...spec.compute.steps.Stage, memoryMb: 1_769 };
  const compute = { ...spec.compute, steps: { ...spec.compute.steps, Level: step, Stage: step, Merge: step } };
  facts = {
    spec: { ...spec, compute } satisfies PipelineSpec,
    existing: new Set(spec.models.map(({ id }) => id)),
    landed: new Map([
      ['orders', [1, 2, 3].map((n) => ({ key: `bronze/shop/orders/${n}.csv`, size: 1_000, etag: 'e' }))],
      ['people', [{ key: 'bronze/shop/people/1.csv', size: 400, etag: 'e' }]],
    ]),
    sizes: new Map([
      ['shop_silver.orders', { files: 9, bytes: 90_000 }],
      ['shop_silver.people', { files: 2, bytes: 2_000 }],
      ['shop_silver.people__log', { files: 2, bytes: 3_000 }],
      ['shop_gold.days', { files: 1, bytes: 500 }],
      ['shop_gold.best', { files: 1, bytes: 100 }],
    ]),
    cost: { rates: RATES },
  };
});

const CASES = [
  {
    name: 'a silver table is made from what landed in its source, then gold from it and gold from that',
    change: { table: 'shop_silver.orders', kind: 'backfill' },
    downstream: ['shop_gold.days', 'shop_gold.best'],
    read: { files: 3, bytes: 3_000 },
    // 3,000 parsed; 900 of them, as Parquet, read for days, and what days had for best.
    seconds: 3 + 0.9 + 0.5,
  },
  {
    name: 'gold is made from the tables that it reads',
    change: { table: 'shop_gold.best', kind: 'recompute' },
    downstream: [],
    read: { files: 1, bytes: 500 },
    seconds: 0.5,
  },
  {
    name: 'a keyed table is made from its log',
    change: { table: 'shop_silver.people', kind: 'recompute' },
    downstream: ['shop_gold.names'],
    read: { files: 4, bytes: 5_000 },
    // 5,000 merged, and 2,000 read for names.
    seconds: 5 + 2,
  },
] as const;

for (const { name, change, downstream, read, seconds } of CASES) {
  test(name, () => {
    const { usd, ...work } = workOfChange(change, facts) ?? assert.fail('no work');
    assert.deepEqual(work, { downstream, ...read, seconds });
    assert.ok(usd > 0);
  });
}

test('rows that stay take nothing', () => {
  for (const kind of ['metadata', 'check', 'removed'] as const) {
    assert.equal(workOfChange({ table: 'shop_silver.orders', kind }, facts), null);
  }
});
