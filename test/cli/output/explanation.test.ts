import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderCost, renderIdle } from '../../../lib/cli/output/cost.ts';
import { renderExplanation } from '../../../lib/cli/output/explanation.ts';
import { DEFAULT_COMPUTE } from '../../../lib/core/compute.ts';
import { estimateRun } from '../../../lib/plan/cost.ts';
import type { ExplainedPartitions } from '../../../lib/plan/explain.ts';
import { idleCost, standingOf } from '../../../lib/plan/idle-cost.ts';
import type { PlannedRun } from '../../../lib/query/plan-cost.ts';

const WORLD = { layout: {}, hint: (command: string) => `strata ${command}` };
const PLAN: PlannedRun = {
  pipeline: 'shop',
  status: 'WORK',
  idle: idleCost(standingOf({ slo: { freshnessMs: null, quarantineRate: null } })),
  resumes: null,
  skipped: { count: 0, names: [] },
  suspended: [],
  changes: [],
  selected: null,
  vars: {},
  sources: [{ source: 'orders', files: 1200, bytes: 2_000_000, estimated_bytes: 12_000_000 }],
  levels: [
    {
      level: 0,
      tables: [
        {
          table: 'shop_silver.orders',
          action: 'append',
          reason: 'new files of orders',
          units: 2,
          estimated_bytes: 12_000_000,
          partitions: null,
        },
      ],
    },
    {
      level: 2,
      tables: [
        {
          table: 'shop_gold.t',
          action: 'create',
          reason: 'the table does not exist yet',
          units: 1,
          estimated_bytes: null,
          partitions: null,
        },
      ],
    },
  ],
  cost: null,
  maintenance: [],
};

test('a plan shows what is read and what is written', () => {
  assert.equal(
    renderExplanation(PLAN, WORLD),
    `a run of shop would read:
┌────────┬───────┬────────┬──────────┐
│ source │ files │   size │ to parse │
├────────┼───────┼────────┼──────────┤
│ orders │ 1,200 │ 2.0 MB │    12 MB │
└────────┴───────┴────────┴──────────┘

and write:
┌───────┬────────────────────┬────────┬───────┬──────────┬──────────────────────────────┐
│ level │ table              │ action │ units │ to parse │ because                      │
├───────┼────────────────────┼────────┼───────┼──────────┼──────────────────────────────┤
│     1 │ shop_silver.orders │ append │     2 │    12 MB │ new files of orders          │
│     3 │ shop_gold.t        │ create │     1 │          │ the table does not exist yet │
└───────┴────────────────────┴────────┴───────┴──────────┴──────────────────────────────┘

${renderIdle(PLAN.idle, {})}
next:
  strata run shop --dry-run
  strata run shop
`,
  );
});

test('nothing to do is one sentence', () => {
  assert.equal(
    renderExplanation({ ...PLAN, status: 'NOTHING_TO_DO', levels: [] }, WORLD),
    `a run of shop would do nothing: no new files in bronze/shop/, and no gold table is out of date\n${renderIdle(PLAN.idle, WORLD.layout)}`,
  );
});

test('an unfinished run is named first', () => {
  const text = renderExplanation({ ...PLAN, resumes: 'r1', levels: [] }, WORLD);
  assert.match(text, /^the unfinished run r1 would be resumed first/);
  assert.doesNotMatch(text, /and write:/);
});

test('a run that awaits approval is no run that would be resumed', () => {
  const awaiting = { run_id: 'r1', since: 's', expires_at: 'e', digest: 'd', because: [] };
  const text = renderExplanation({ ...PLAN, resumes: 'r1', awaiting }, WORLD);
  assert.match(
    text,
    /^run r1 awaits approval until e, and no other begins before; what follows does not count its work\n/,
  );
  assert.doesNotMatch(text, /resumed/);
  assert.ok(text.endsWith('\nnext:\n  strata review r1\n'), text.slice(-200));
});

const TOUCHED: readonly (readonly [string, ExplainedPartitions, string])[] = [
  ['by new rows', { known: [], of_new_rows: true }, 'why: the partitions that the new rows touch │'],
  ['by changes in the lake', { known: ['m=2026-01', 'm=2026-02'], of_new_rows: false }, 'why: m=2026-01, m=2026-02 │'],
  ['by both', { known: ['m=1'], of_new_rows: true }, 'why: m=1, the partitions that the new rows touch │'],
  ['by nothing', { known: [], of_new_rows: false }, 'why: no partition is touched │'],
  ['in many places', { known: [...'abcdefg'], of_new_rows: false }, 'why: a, b, c, d, e, 2 more │'],
];

for (const [name, partitions, text] of TOUCHED) {
  test(`partitions that are touched ${name}`, () => {
    const table = { table: 't', action: 'replace partitions', reason: 'why', units: 1, estimated_bytes: null } as const;
    const levels = [{ level: 1, tables: [{ ...table, partitions }] }];
    assert.ok(renderExplanation({ ...PLAN, levels }, WORLD).includes(text));
  });
}

test('what it would cost comes before what to do next', () => {
  const cost = estimateRun({ files: 1, tables: 1, existing: 0, reads: 0, writes: 0, levels: [] }, DEFAULT_COMPUTE);
  const text = renderExplanation({ ...PLAN, cost }, WORLD);
  assert.ok(text.includes(`${renderCost(cost, {})}\n${renderIdle(PLAN.idle, {})}\nnext:\n`));
});

test('a plan names maintenance that is due', () => {
  const maintenance = [
    { operation: 'compact', table: 'shop_silver.orders', why: '16 small files since the last time' },
    { operation: 'vacuum', table: null, why: 'nothing was removed for 25 h' },
  ] as const;
  const text = renderExplanation({ ...PLAN, maintenance }, WORLD);
  assert.match(text, /maintenance follows the next run that changes something:\n/);
  assert.match(text, /compact │ shop_silver\.orders │ 16 small files since the last time/);
  assert.match(text, /vacuum +│ shop +│ nothing was removed for 25 h/);
});

test('says what is exported and served after it', () => {
  const exports = [{ model: 'gold.totals', kind: 'csv', to: 'totals.csv' }] as const;
  const serves = [{ to: 'web.totals', from: 'gold.totals' }];
  const text = renderExplanation({ ...PLAN, exports, serves }, WORLD);
  assert.match(text, /\nthen export gold\.totals to totals\.csv \(csv\)\nthen serve gold\.totals as web\.totals\n\n/);
  assert.doesNotMatch(renderExplanation(PLAN, WORLD), /then/);
});
