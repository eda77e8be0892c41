import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderRun } from '../../../lib/cli/output/run-result.ts';
import type { RunCost } from '../../../lib/core/cost.ts';
import { NO_ROWS } from '../../../lib/core/row-counts.ts';
import type { RunResult } from '../../../lib/core/run.ts';

const line = (item: string, quantity: number, unit = item) =>
  ({ service: 'S3', item, quantity, unit, usd: 0 }) as const;

const COST: RunCost = {
  region: 'us-east-1',
  prices_checked: '2026-11-21',
  requests: 'counted',
  lines: [
    line('requests', 26),
    line('state transitions', 52),
    line('PUT and LIST', 190),
    line('GET', 1_796),
    line('files read', 1_234_567, 'bytes'),
    line('files written', 400_000, 'bytes'),
  ],
  usd: 0.003_31,
};

const RESULT: RunResult = {
  run_id: 'r1',
  pipeline: 'shop',
  status: 'SUCCEEDED',
  accounting: { orders: { ...NO_ROWS, read: 1_234_567, accepted: 1_234_560, duplicates: 7 } },
  rejected_files: [],
  left_files: [],
  skipped: { count: 0, names: [] },
  suspended_files: [],
  tables: {
    'shop_silver.orders': { rows_added: 1_234_560, files_added: 3, snapshot_id: '42' },
    'shop_gold.totals': { rows_added: 0, files_added: 0, snapshot_id: null },
  },
  warnings: [],
  previews: {},
  duration_ms: 1500,
  steps: [],
  cost: COST,
  error: null,
};

function render(change: Partial<RunResult> = {}, again = false): string {
  return renderRun({ ...RESULT, ...change }, again, { layout: {}, hint: (command) => `strata ${command}` });
}

test('a run shows its sources, its tables and where to look', () => {
  assert.equal(
    render(),
    `run r1 of shop published 1 table in 1.5 s

┌────────┬───────────┬───────────┬─────────────┬────────────┐
│ source │      read │  accepted │ quarantined │ duplicates │
├────────┼───────────┼───────────┼─────────────┼────────────┤
│ orders │ 1,234,567 │ 1,234,560 │           0 │          7 │
└────────┴───────────┴───────────┴─────────────┴────────────┘

┌────────────────────┬──────────────┬───────────────┬───────────┐
│ table              │ rows written │ files written │ snapshot  │
├────────────────────┼──────────────┼───────────────┼───────────┤
│ shop_silver.orders │    1,234,560 │             3 │ 42        │
│ shop_gold.totals   │            0 │             0 │ unchanged │
└────────────────────┴──────────────┴───────────────┴───────────┘

on AWS this run costs about $0.0033: 26 calls, 52 state transitions, 190 PUT, 1,796 GET; files read 1.2 MB, written 400 kB

next:
  strata query "SELECT * FROM shop_gold.totals LIMIT 10"
  strata history shop_gold.totals
  strata tables
`,
  );
});

const SAID: readonly (readonly [string, Partial<RunResult>, boolean, RegExp])[] = [
  ['the same run again', {}, true, /^run r1 of shop has ended before; this is its result/],
  ['a run that changed nothing', { tables: {} }, false, /^run r1 of shop changed no table in 1\.5 s/],
  [
    'quarantined rows, with the command that shows them',
    { accounting: { orders: { ...NO_ROWS, read: 3, quarantined: 2, condemned: 1 } } },
    false,
    /condemned [\s\S]*3 rows in shop_ops\.quarantine, each with its reasons:\n {2}strata quarantine list shop --run-id r1\n/,
  ],
  [
    'rejected files with their reasons',
    { rejected_files: [{ source: 'orders', file: 'bronze/shop/orders/a.csv', reason: 'UNREADABLE_FILE: empty' }] },
    false,
    /1 file rejected, and not read:\n {2}bronze\/shop\/orders\/a\.csv: UNREADABLE_FILE: empty\nto have them read once [^\n]+:\n {2}strata files retry shop --status rejected\n/,
  ],
  [
    'the log of a keyed table after the table itself, and how to ask for a key',
    {
      tables: Object.fromEntries(
        ['shop_silver.a__log', 'shop_silver.a', 'shop_gold.t'].map((name) => [
          name,
          { rows_added: 1, files_added: 1, snapshot_id: '1' },
        ]),
      ),
    },
    false,
    /silver\.a +│[\s\S]*silver\.a__log │[\s\S]*strata key shop_silver\.a KEY\n/,
  ],
  ['warnings', { warnings: ['silver.orders: odd'] }, false, /warnings:\n {2}silver\.orders: odd\n/],
];

for (const [name, change, again, pattern] of SAID) {
  test(name, () => assert.match(render(change, again), pattern));
}

test('a dry run shows rows and no snapshot, and says that nothing was published', () => {
  const text = render({
    status: 'DRY_RUN',
    previews: { 'silver.none': [], 'gold.totals': [{ kind: 'x', amount: '1.10' }] },
  });
  assert.match(text, /^dry run r1 of shop: computed and audited in 1\.5 s, published nothing\n/);
  assert.match(text, /gold\.totals, the first rows:\n[\s\S]*│ x {4}│ {3}1\.10 │/);
  assert.match(text, /next:\n {2}strata run shop\n$/);
  assert.doesNotMatch(text, /snapshot|silver\.none/);
});

test('a run of an earlier release says that its requests are assumed', () => {
  const { cost: _, ...earlier } = RESULT;
  const text = renderRun(earlier, true, { layout: {}, hint: (command) => command });
  assert.match(text, /^on AWS this run costs about \$[\d.]+: .*; the requests are assumed, as an earlier release/m);
  assert.doesNotMatch(text, /files read/);
});
