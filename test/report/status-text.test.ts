import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderPipeline, renderPipelines } from '../../lib/cli/output/status.ts';
import type { StatusFacts } from '../../lib/core/status-facts.ts';
import { judgePipeline, type PipelineStatus } from '../../lib/report/status.ts';
import { HOSTILE, makeLake, NOW } from './made-lake.ts';

const CONTEXT = { layout: {}, lake: 'the lake', hint: (command: string): string => `strata ${command}` };

/** Lines by what they are about. */
function linesOf(one: PipelineStatus): Readonly<Record<string, string>> {
  const lines = renderPipeline(one, CONTEXT).split('\n');
  return Object.fromEntries(lines.map((line) => [line.slice(0, 13).trim(), line.slice(14)]));
}

function factsOf(change: Partial<StatusFacts>): StatusFacts {
  const [one] = makeLake({ pipelines: 1, models: 3, runs: 100 }).pipelines;
  assert.ok(one);
  return { ...one.status, slo: { freshnessMs: null, quarantineRate: null }, ...change };
}

test('a pipeline on one screen: what is wrong, and what to look at next', () => {
  const behind = Array.from({ length: 7 }, (_, at) => ({
    ...(at === 0 ? { table: null, why: `no module\n  ${HOSTILE}` } : { table: `t${at}`, why: HOSTILE }),
  }));
  const [first] = factsOf({}).runs;
  assert.ok(first);
  const failed = { ...first, run_id: 'last', succeeded: false, finished: NOW - 60_000, error: 'AuditFailed: a\nb' };
  const found = judgePipeline(
    factsOf({ owner: null, runs: [first, failed], behind, unfinished: 'r9', suspended_files: 2, rejected_files: 1 }),
    NOW,
  );
  const lines = linesOf(found);
  assert.equal(lines['last run'], 'last failed 1 min 00 s ago after 1 min 00 s: AuditFailed: a\\nb');
  assert.match(lines['last success'] ?? '', /^\d+ h \d\d min ago$/);
  assert.equal(lines['incident'], 'open for 1 min 00 s: 1 run failed; none ended in 30 days');
  assert.equal(lines['runs'], '2 runs in 30 days, 50 % succeeded; mean 1 min 00 s, p50 1 min 00 s');
  assert.match(
    lines['quarantine'] ?? '',
    /^TYPE_ERROR 13 \(3 in the last day, 1 of them condemned\); .*; 2 files suspended; 1 file rejected$/,
  );
  assert.match(lines['behind'] ?? '', /^run r9 is unfinished; no module <\/style>.*\\u202ex; t1: .*; 2 more$/);
  assert.match(lines['maintenance'] ?? '', /^compact shop_0_silver\.m0: 20 small files since the last time$/);
  const text = renderPipeline(found, CONTEXT);
  assert.match(text, /^shop_0 \(tier 1\): breached: breaker\n/);
  assert.ok(!text.includes('what is promised'));
  assert.ok(
    text.endsWith(
      '\nnext:\n  strata runs show last\n  strata breaker status shop_0\n  strata files list shop_0\n  strata files list shop_0 --status rejected\n  strata quarantine list shop_0\n  strata plan shop_0\n',
    ),
  );
});

test('a pipeline that has done nothing yet, and one that does well', () => {
  const nothing = {
    runs: [],
    quarantine: [],
    behind: [],
    maintenance: [],
    breaker: 'closed',
    owner: 'o',
    tier: null,
  } as const;
  const found = judgePipeline(factsOf(nothing), NOW, 7);
  assert.equal(
    renderPipeline(found, CONTEXT),
    [
      'shop_0 (o): nothing is promised',
      '',
      'last run      none yet',
      'last success  none',
      'incident      none is open; none ended in 7 days',
      'runs          none in 7 days',
      'breaker       closed',
      'quarantine    empty',
      'behind        no table',
      'maintenance   nothing is due',
      '',
    ].join('\n'),
  );
  const well = linesOf(judgePipeline(factsOf({ ...nothing, runs: factsOf({}).runs }), NOW));
  assert.equal(well['runs'], '100 runs in 30 days, 98 % succeeded; mean 3 min 56 s, p50 4 min 00 s, p95 7 min 00 s');
  assert.match(well['incident'] ?? '', /^none is open; 2 ended in 30 days, after 7 h \d\d min on average$/);
});

test('all pipelines, a line for each, and those that are breached to look at next', () => {
  const well = judgePipeline(factsOf({ pipeline: 'well', breaker: 'closed', runs: [], behind: [] }), NOW);
  const text = renderPipelines([judgePipeline(factsOf({}), NOW), well], CONTEXT);
  assert.match(text, /│ shop_0 +│ breaker +│ SUCCEEDED 0 ms ago │ 0 ms ago +│ - +│ open +│ +26 │ +1 │ +1 │/);
  assert.match(text, /│ well +│ - +│ - +│ - +│ - +│ closed +│ +26 │ +0 │ +1 │/);
  assert.ok(text.endsWith('\nnext:\n  strata status shop_0\n'));
  const awaiting = {
    run_id: 'r9',
    since: new Date(NOW - 60_000).toISOString(),
    expires_at: 'e',
    digest: 'd',
    because: [],
  };
  const waits = renderPipelines(
    [judgePipeline(factsOf({ pipeline: 'waits', breaker: 'closed', awaiting }), NOW)],
    CONTEXT,
  );
  assert.match(waits, /│ waits +│ - +│ AWAITING_APPROVAL 1 min 00 s ago │/);
  assert.ok(waits.endsWith('\nnext:\n  strata review r9\n'), waits);
  assert.equal(renderPipelines([], CONTEXT), 'no pipelines in the lake yet; try strata init\n');
});
