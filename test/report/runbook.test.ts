import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALARMS } from '../../lib/core/alarms.ts';
import type { PipelineSpec } from '../../lib/core/spec.ts';
import type { StatusFacts } from '../../lib/core/status-facts.ts';
import type { ModelEntry } from '../../lib/report/models.ts';
import { type RunbookFacts, renderRunbook } from '../../lib/report/runbook.ts';
import { judgePipeline } from '../../lib/report/status.ts';

const BARE = {
  ...{ name: 'shop', owner: null, tier: null, description: null, schedule: null, sources: [], models: [] },
  slo: { freshnessMs: null, quarantineRate: null },
} as unknown as PipelineSpec;

const FULL = {
  ...BARE,
  ...{
    owner: 'Ann_of_*shop*',
    tier: 1,
    description: 'Orders of a [shop](x).\n# Not <b>more</b>.',
    schedule: 'rate(1 day)',
    after: ['retail'],
  },
  schedules: [{ name: 'nightly', cron: '0 2 * * *', zone: 'UTC' }],
  sources: [{ name: 'orders' }],
  others: [{ pipeline: 'retail', layer: 'gold', name: 'sales' }],
  slo: { freshnessMs: 3_600_000, quarantineRate: 5, successRate: 99, ready: { days: 1, minutes: 60 }, mttrMs: 90_000 },
  models: [
    {
      ...{ layer: 'silver', name: 'orders' },
      expect: [
        { kind: 'row', name: 'ticks', policy: 'warn', condition: "a <> '``' || '`'" },
        { kind: 'row', name: 'some', policy: 'drop', condition: 'a > 0\n  OR b' },
        { kind: 'unique', name: 'one', policy: 'fail', columns: ['a', 'b'] },
        { kind: 'rowCount', name: 'few', policy: 'warn', min: null, max: 9 },
        { kind: 'rowCount', name: 'many', policy: 'warn', min: 2, max: null },
        { kind: 'sql', name: 'none', policy: 'fail', query: 'FROM this' },
      ],
    },
  ],
} as unknown as PipelineSpec;

const ENTRY = {
  ...{
    model: 'shop_silver.orders',
    description: 'One row | per *order*,\n# <b>made</b>.',
    inputs: ['bronze/shop/orders', 'shop_silver.x'],
  },
  outputs: ['shop_silver.orders', 'shop_silver.orders__log', 'exports/shop/a.csv'],
} as unknown as ModelEntry;

const NOW = Date.parse('2026-01-10T00:00:00Z');
const run = (hoursAgo: number, succeeded: boolean) => ({
  ...{ run_id: `r${hoursAgo}`, succeeded, started: NOW - hoursAgo * 3_600_000 - 500, duration_ms: 500 },
  ...{ finished: NOW - hoursAgo * 3_600_000, error: succeeded ? null : 'no\n  disk', read: 100, rejected: 1 },
});

function book(
  spec: PipelineSpec,
  runs: readonly ReturnType<typeof run>[],
  change: Partial<RunbookFacts> = {},
  more: Partial<StatusFacts> = {},
): string {
  const { slo } = spec;
  const same = { pipeline: 'shop', owner: spec.owner, tier: spec.tier, timezone: 'UTC', quarantine: [], behind: [] };
  const facts = {
    ...same,
    slo,
    runs,
    breaker: 'open',
    unfinished: null,
    suspended_files: 0,
    maintenance: [],
    ...more,
  } as const;
  const status = judgePipeline(facts, NOW);
  return renderRunbook({
    spec,
    status,
    models: [],
    call: (command) => `strata ${command} --x`,
    machine: 'strata-shop',
    deployed: false,
    ...change,
  });
}

test('a runbook says whose a pipeline is, what it reads and writes, what is promised and how it does', () => {
  const text = book(FULL, [run(5, true), run(4, false), run(2, true), run(1, false)], { models: [ENTRY] });
  for (const line of [
    '# shop',
    '- Purpose: Orders of a \\[shop\\](x). \\# Not \\<b\\>more\\</b\\>.',
    '- Owner: Ann\\_of\\_\\*shop\\*',
    '- Tier: 1',
    '- Schedule: `rate(1 day)`, nightly: `0 2 * * *` (UTC), after retail',
    '- As of: 2026-01-10T00:00:00.000Z',
    'Reads `bronze/shop/orders`, `retail_gold.sales`.',
    '| shop_silver.orders | bronze/shop/orders, shop_silver.x | shop_silver.orders__log, exports/shop/a.csv | One row \\\\| per \\*order\\*, \\# \\<b\\>made\\</b\\>. |',
    '- Last run: `r1` FAILED at 2026-01-09T23:00:00.000Z',
    '- Last success: 2026-01-09T22:00:00.000Z',
    '- p95 of 30 days: 500 ms of 2 runs, too few to rely on',
    '- Success rate of 30 days: 50 %',
    '- Mean time to repair of 30 days: 2 h',
    '- Open incident: since 2026-01-09T23:00:00.000Z: no disk',
    '- Circuit breaker: open',
    '| shop_silver.orders | some | drop | `a > 0 OR b` |',
    "| shop_silver.orders | ticks | warn | ``` a <> '``' \\|\\| '`' ``` |",
    '| shop_silver.orders | one | fail | `unique(a, b)` |',
    '| shop_silver.orders | few | warn | `0 <= rows <= 9` |',
    '| shop_silver.orders | many | warn | `2 <= rows` |',
    '| shop_silver.orders | none | fail | `no row in FROM this` |',
    'strata run shop --x',
    'strata reprocess shop --source orders --file <file> --x',
    '| log of a run | what it prints to stderr |',
  ]) {
    assert.ok(text.split('\n').includes(line), line);
  }
  assert.match(text, /^\| freshness \| 60 min \| 2 h \| [\d.]+ % \| breached \|$/m);
  assert.match(text, /^\| successRate \| 99 % \| 50 % \| 50 % \| breached \|$/m);
  assert.match(text, /^\| quarantineRate \| 5 % \| 1 % \| 100 % \| met \|$/m);
  assert.match(text, /^\| ready \| D\+1 01:00 \| /m);
  assert.match(text, /^\| mttr \| 90 s \| 2 h \| /m);
  for (const [alarm, { means }] of Object.entries(ALARMS))
    assert.ok(text.includes(`| \`strata-shop-${alarm}\` | ${means} |`), alarm);
  assert.doesNotMatch(text, /<pipeline>|undefined|null|Awaits/);
});

test('a run that waits is named, with the time until when, and how to look at it', () => {
  const awaiting = { run_id: 'r9', since: '2026-01-09', expires_at: '2026-01-11T00:00:00Z', digest: 'd', because: [] };
  const text = book(FULL, [run(5, true)], {}, { awaiting });
  assert.ok(
    text.includes(
      '\n- Awaits a decision: run `r9`, which is rejected at 2026-01-11T00:00:00Z: `strata review r9 --x`\n',
    ),
  );
});

test('what is not declared is said to be missing, and of a deployed lake where its logs are', () => {
  const text = book(BARE, [], { deployed: true });
  for (const line of [
    '- Purpose: not said: `description` in the definition of the pipeline',
    '- Owner: nobody: `owner` in the definition of the pipeline',
    '- Tier: not said',
    '- Schedule: when files land, or on demand',
    'Reads nothing.',
    'Nothing is promised (`slo`).',
    '- Last run: none yet',
    '- Last success: none yet',
    '- p95 of 30 days: not known',
    '- Success rate of 30 days: not known',
    '- Mean time to repair of 30 days: no incident ended',
    '- Open incident: none',
    'No expectation is declared.',
    'strata reprocess shop --source <source> --file <file> --x',
    '| log of a function | `/aws/lambda/strata-shop-*` |',
    '| the execution | Step Functions, state machine `strata-shop` |',
  ]) {
    assert.ok(text.split('\n').includes(line), line);
  }
  assert.doesNotMatch(text, /prints to stderr/);
});
