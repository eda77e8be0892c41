import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Slo } from '../../lib/core/compute.ts';
import { formatReadyBy, parseReadyBy } from '../../lib/core/ready-by.ts';
import type { RunFact } from '../../lib/core/run-fact.ts';
import type { StatusFacts } from '../../lib/core/status-facts.ts';
import { freshSince, lastSuccess, stalenessOf } from '../../lib/report/freshness.ts';
import { incidentsOf, meanTimeToRepair } from '../../lib/report/incidents.ts';
import { describePromise, formatPercent } from '../../lib/report/promise-text.ts';
import { dueDays } from '../../lib/report/ready.ts';
import { type Judged, judgeSlo } from '../../lib/report/slo.ts';
import { durationsOf, quantile } from '../../lib/report/statistics.ts';
import { judgePipeline } from '../../lib/report/status.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOW = Date.parse('2026-03-31T12:00Z');

/** A run that ended so many minutes before now and took one; `x` behind the number: it failed. */
function run(text: string): RunFact {
  const [, minutes = '', failed] = /^(\d+)(x?)$/.exec(text) ?? [];
  const finished = NOW - Number(minutes) * MINUTE;
  const succeeded = failed === '';
  const error = succeeded ? null : `AuditFailed: ${text}`;
  return { run_id: `r${text}`, succeeded, started: finished - MINUTE, finished, duration_ms: MINUTE, error };
}

/** In an order that is none. */
function runs(...texts: readonly string[]): readonly RunFact[] {
  return texts.map(run).sort((a, b) => (a.run_id < b.run_id ? -1 : 1));
}

describe('quantiles lie between order statistics', () => {
  const to = (n: number): readonly number[] => Array.from({ length: n }, (_, at) => n - at);
  const CASES: readonly (readonly [values: readonly number[], share: number, is: number | null])[] = [
    [[], 0.5, null],
    [[7], 0.95, 7],
    [[1, 2], 0.5, 1.5],
    [[4, 1, 3, 2], 0.5, 2.5],
    // Place 0.95 * 4 = 3.8: 4/5 of the way from 40 to 50.
    [[10, 50, 20, 40, 30], 0.95, 48],
    // Place 0.95 * 20 = 19: the 20th of 21.
    [to(21), 0.95, 20],
    [to(20), 0.95, 19.05],
    [[100, 9], 0, 9],
    [[100, 9], 1, 100],
  ];
  for (const [values, share, is] of CASES) {
    test(`${share} of ${values.length} values`, () => {
      const found = quantile(values, share);
      assert.equal(found === null ? null : Number(found.toFixed(9)), is);
    });
  }
  test('and of fewer than 20 a p95 is marked', () => {
    // Place 0.95 * 10 = 9.5.
    assert.deepEqual(durationsOf(to(11)), { n: 11, mean: 6, p50: 6, p95: 10.5, few: true });
    assert.equal(durationsOf(to(19)).few, true);
    assert.equal(durationsOf(to(20)).few, false);
    assert.deepEqual(durationsOf([]), { n: 0, mean: null, p50: null, p95: null, few: true });
  });
});

describe('incidents', () => {
  type Case = readonly [name: string, of: readonly string[], spans: readonly (number | null)[], mttr: number | null];
  const CASES: readonly Case[] = [
    ['none of no runs', [], [], null],
    ['none of good runs', ['9', '5', '1'], [], null],
    ['one failure ends with the next success', ['90', '60x', '45'], [15], 15],
    ['a row of failures is one, from the first', ['90', '80x', '70x', '50x', '30'], [50], 50],
    ['a success between makes two', ['80x', '70', '60x', '20'], [10, 40], 25],
    ['one that lasts is no part of the mean', ['80x', '70', '60x', '20x'], [10, null], 10],
    ['failures alone last', ['80x', '70x'], [null], null],
  ];
  for (const [name, of, spans, mttr] of CASES) {
    test(name, () => {
      const found = incidentsOf(runs(...of));
      assert.deepEqual(
        found.map(({ from, to }) => (to === null ? null : (to - from) / MINUTE)),
        spans,
      );
      const mean = meanTimeToRepair(found);
      assert.equal(mean === null ? null : mean / MINUTE, mttr);
    });
  }
  test('are in the order in which runs ended, and of two at once in that in which they began', () => {
    const [one, other] = runs('50x', '50');
    assert.ok(one && other);
    const good = one.succeeded ? one : other;
    const bad = one.succeeded ? other : one;
    const spans = (early: RunFact, late: RunFact): readonly (number | null)[] =>
      incidentsOf([late, { ...early, started: early.started - 1 }]).map(({ from, to }) =>
        to === null ? null : to - from,
      );
    assert.deepEqual(spans(bad, good), [0]);
    assert.deepEqual(spans(good, bad), [null]);
  });
  test('name their runs and what the latest said', () => {
    const [incident] = incidentsOf(runs('80x', '70x', '50'));
    assert.deepEqual(incident?.failures, ['r80x', 'r70x']);
    assert.equal(incident.error, 'AuditFailed: 70x');
  });
});

describe('freshness', () => {
  test('is counted from the last success, or from the first run where there is none', () => {
    assert.equal(lastSuccess(runs('90', '60', '5x')), NOW - 60 * MINUTE);
    assert.equal(lastSuccess(runs('90x')), null);
    assert.equal(freshSince(runs('90x', '5x')), NOW - 91 * MINUTE);
    assert.equal(freshSince([]), null);
  });

  type Case = readonly [of: readonly string[], target: number, from: number, looked: number, stale: readonly string[]];
  /** Minutes before now. */
  const CASES: readonly Case[] = [
    [['100', '40'], 30, 1_000, 101, ['70-40', '10-']],
    [['100', '40'], 60, 1_000, 101, []],
    // Only what lies in the window: 70 to 40, of which 20 minutes.
    [['100', '40'], 30, 60, 60, ['60-40', '10-']],
    // Before the first success its start counts.
    [['100x', '50x', '20'], 30, 1_000, 101, ['71-20']],
    [[], 30, 60, 0, []],
  ];
  for (const [of, target, from, looked, stale] of CASES) {
    test(`of runs ${of.join(' ')} within ${target} min over ${from} min`, () => {
      const window = { from: NOW - from * MINUTE, now: NOW };
      const found = stalenessOf(runs(...of), target * MINUTE, window);
      const before = (at: number | null): string => (at === null ? '' : `${(NOW - at) / MINUTE}`);
      assert.deepEqual(
        found.stale.map((one) => `${before(one.from)}-${before(one.to)}`),
        stale,
      );
      assert.equal(found.ms / MINUTE, looked);
      const lasted = stale.map((one) => one.split('-').map(Number)).map(([a = 0, b = 0]) => a - b);
      assert.equal(
        found.staleMs / MINUTE,
        lasted.reduce((a, b) => a + b, 0),
      );
    });
  }
});

test('a run of the future, by a clock that is ahead, has no past', () => {
  const ahead = { ...run('0'), started: NOW + 1, finished: NOW + 2 };
  assert.deepEqual(stalenessOf([ahead], 1, { from: NOW - HOUR, now: NOW }), { ms: 0, stale: [], staleMs: 0 });
});

describe('a day is ready', () => {
  const at = (started: string, finished: string, succeeded = true): RunFact => ({
    run_id: started,
    succeeded,
    started: Date.parse(started),
    finished: Date.parse(finished),
    duration_ms: 0,
    error: null,
  });
  const by = { days: 1, minutes: 60 };
  const window = { from: Date.parse('2026-01-01T00:00Z'), now: Date.parse('2026-03-31T12:00Z') };

  test('when a run has succeeded that began after it', () => {
    const found = dueDays(
      [
        at('2026-03-27T22:00Z', '2026-03-27T22:10Z'),
        // Began before the 28th had ended.
        at('2026-03-28T23:59Z', '2026-03-29T00:30Z'),
        at('2026-03-29T00:00Z', '2026-03-29T01:00Z'),
        at('2026-03-30T00:10Z', '2026-03-30T00:20Z', false),
        at('2026-03-30T00:50Z', '2026-03-30T01:01Z'),
      ],
      by,
      'UTC',
      window,
    );
    assert.deepEqual(
      found.map(({ day, due, ready }) => [day, iso(due), ready === null ? null : iso(ready)]),
      [
        ['2026-03-27', '2026-03-28T01:00:00.000Z', '2026-03-29T00:30:00.000Z'],
        ['2026-03-28', '2026-03-29T01:00:00.000Z', '2026-03-29T01:00:00.000Z'],
        ['2026-03-29', '2026-03-30T01:00:00.000Z', '2026-03-30T01:01:00.000Z'],
        ['2026-03-30', '2026-03-31T01:00:00.000Z', null],
      ],
    );
  });

  // On March 29th clocks of Berlin go from 02:00 to 03:00.
  const DUE: readonly (readonly [zone: string, by: string, due: string])[] = [
    ['Europe/Berlin', 'D+1 01:00', '2026-03-29T00:00:00.000Z'],
    ['Europe/Berlin', 'D+1 06:00', '2026-03-29T04:00:00.000Z'],
    ['Europe/Berlin', 'D+1 02:30', '2026-03-29T01:30:00.000Z'],
    ['Europe/Berlin', 'D+2 06:00', '2026-03-30T04:00:00.000Z'],
    ['America/New_York', 'D+1 01:00', '2026-03-29T05:00:00.000Z'],
    ['UTC', 'D+1 00:00', '2026-03-29T00:00:00.000Z'],
  ];
  for (const [zone, text, due] of DUE) {
    test(`by ${text} in ${zone}`, () => {
      const ready = parseReadyBy(text);
      assert.ok(ready);
      const [first] = dueDays([at('2026-03-28T12:00Z', '2026-03-28T12:01Z')], ready, zone, window);
      assert.deepEqual([first?.day, first && iso(first.due)], ['2026-03-28', due]);
    });
  }

  test('where clocks show a time twice by the first, and where they skip midnight right after it', () => {
    const later = { from: window.from, now: Date.parse('2026-12-01T00:00Z') };
    const firstDue = (day: string, zone: string, text: string): string => {
      const [first] = dueDays([at(`${day}T12:00Z`, `${day}T12:01Z`)], parseReadyBy(text) ?? by, zone, later);
      return first === undefined ? '' : iso(first.due);
    };
    assert.equal(firstDue('2026-10-24', 'Europe/Berlin', 'D+1 02:30'), '2026-10-25T00:30:00.000Z');
    assert.equal(firstDue('2026-04-23', 'Africa/Cairo', 'D+1 00:00'), '2026-04-23T22:00:00.000Z');
  });

  test('within the window alone', () => {
    const old = [at('2025-06-01T12:00Z', '2025-06-01T12:01Z')];
    const days = dueDays(old, by, 'UTC', { from: window.now - 2 * DAY, now: window.now }).map(({ day }) => day);
    assert.deepEqual(days, ['2026-03-29', '2026-03-30']);
    const evening = { from: Date.parse('2026-03-30T00:30Z'), now: window.now };
    assert.deepEqual(
      dueDays(old, by, 'UTC', evening).map(({ day }) => day),
      ['2026-03-29', '2026-03-30'],
    );
    assert.deepEqual(dueDays([], by, 'UTC', window), []);
  });

  test('as it is written', () => {
    for (const text of ['D+1 01:00', 'D+7 23:59']) assert.equal(formatReadyBy(parseReadyBy(text) ?? by), text);
    for (const text of ['D+0 01:00', 'D+8 01:00', 'D 01:00', 'D+1 24:00', 'D+1 1:00', 'D+1 01:60', ''])
      assert.equal(parseReadyBy(text), undefined, text);
  });
});

function iso(at: number): string {
  return new Date(at).toISOString();
}

describe('promises', () => {
  const NOTHING: Slo = { freshnessMs: null, quarantineRate: null };
  const many = (n: number, every: number): readonly string[] =>
    Array.from({ length: n }, (_, at) => `${(n - at) * every}`);
  const rejecting = (rejected: readonly number[]): readonly RunFact[] =>
    rejected.map((one, at) => ({ ...run(`${rejected.length - at}`), read: 200, rejected: one }));
  const lasting = (minutes: readonly number[]): readonly RunFact[] =>
    minutes.map((one, at) => ({ ...run(`${minutes.length - at}`), duration_ms: one * MINUTE }));

  type Expected = Partial<Omit<Judged, 'breaches'>> & { readonly breaches?: number };
  type Case = readonly [name: string, slo: Partial<Slo>, of: readonly RunFact[], expected: Expected];
  const CASES: readonly Case[] = [
    [
      'freshness that is kept: 100 of 1,001 minutes may be stale, none are',
      { freshnessMs: HOUR, objective: 90 },
      runs(...many(20, 50)),
      { actual: 50 * MINUTE, attained: 100, budget_left: 100, breaches: 0, state: 'met' },
    ],
    [
      'freshness that is broken now',
      { freshnessMs: HOUR },
      runs('100', '61'),
      { name: 'freshness', target: HOUR, actual: 61 * MINUTE, objective: 99, state: 'breached', breaches: 1 },
    ],
    // Looked at 101 min; stale from 70 to 20 and from -: 50 min, of 50.5 allowed.
    [
      'freshness at the edge of its budget',
      { freshnessMs: 30 * MINUTE, objective: 50 },
      runs('100', '20'),
      { attained: (100 * 51) / 101, budget_left: 100 - 5_000 / 50.5, state: 'met', breaches: 1, of: 101 * MINUTE },
    ],
    [
      'freshness beyond its budget, though it is fresh now',
      { freshnessMs: 30 * MINUTE, objective: 60 },
      runs('100', '20'),
      { actual: 20 * MINUTE, budget_left: 100 - 5_000 / 40.4, state: 'breached' },
    ],
    ['nothing is known of no runs', { freshnessMs: HOUR }, [], { actual: null, attained: null, state: 'unknown' }],
    [
      'success: one of four failed where a quarter may',
      { successRate: 75 },
      runs('9', '7x', '5', '3'),
      { actual: 75, objective: 75, attained: 75, budget_left: 0, of: 4, breaches: 1, state: 'met' },
    ],
    [
      'success: two of four failed where a quarter may',
      { successRate: 75 },
      runs('9', '7x', '5x', '3'),
      { attained: 50, budget_left: -100, breaches: 2, state: 'breached' },
    ],
    [
      'success that allows no failure',
      { successRate: 100 },
      runs('9', '7x'),
      { attained: 50, budget_left: 0, state: 'breached' },
    ],
    ['success where none is asked for more', { successRate: 100 }, runs('9'), { budget_left: 100, state: 'met' }],
    [
      'p95 of 20 runs, of which one is long: 1 + 0.05 * 99',
      { p95Ms: 6 * MINUTE },
      lasting([...Array.from({ length: 19 }, () => 1), 100]),
      { actual: 5.95 * MINUTE, attained: 95, budget_left: 0, of: 20, breaches: 1, state: 'met' },
    ],
    ['p95 above', { p95Ms: 5 * MINUTE }, lasting([...Array.from({ length: 19 }, () => 1), 100]), { state: 'breached' }],
    [
      'p95 at its target',
      { p95Ms: MINUTE },
      lasting(Array.from({ length: 20 }, () => 1)),
      { attained: 100, breaches: 0, state: 'met' },
    ],
    ['p95 of 19 runs is not judged', { p95Ms: 1 }, lasting(Array.from({ length: 19 }, () => 1)), { state: 'unknown' }],
    [
      'rejected rows: the last run above',
      { quarantineRate: 5, objective: 50 },
      rejecting([0, 11]),
      { actual: 5.5, attained: 50, budget_left: 0, breaches: 1, state: 'breached' },
    ],
    [
      'rejected rows: a run above that may be',
      { quarantineRate: 5, objective: 50 },
      rejecting([11, 10]),
      { actual: 5, attained: 50, breaches: 1, state: 'met' },
    ],
    [
      'rejected rows of runs that failed do not count',
      { quarantineRate: 5 },
      [...rejecting([1]), { ...run('1x'), read: 10, rejected: 10 }],
      { actual: 0.5, of: 1, state: 'met' },
    ],
    ['rejected rows: too many runs above', { quarantineRate: 5 }, rejecting([11, 10]), { state: 'breached' }],
    ['rejected rows of runs without any', { quarantineRate: 5 }, runs('9'), { actual: null, state: 'unknown', of: 0 }],
    [
      'repair within an hour on average: 30 and 80 minutes',
      { mttrMs: HOUR },
      runs('300x', '270', '200x', '120'),
      { actual: 55 * MINUTE, attained: 50, objective: null, budget_left: null, of: 2, breaches: 1, state: 'met' },
    ],
    ['repair that takes longer', { mttrMs: HOUR }, runs('300x', '220'), { actual: 80 * MINUTE, state: 'breached' }],
    [
      'repair that is awaited too long',
      { mttrMs: HOUR },
      runs('61x'),
      { actual: null, breaches: 1, state: 'breached' },
    ],
    ['repair that is awaited', { mttrMs: HOUR }, runs('60x'), { actual: null, breaches: 0, state: 'unknown' }],
    ['no incident', { mttrMs: HOUR }, runs('60'), { actual: null, state: 'unknown' }],
    [
      'a day that is not ready',
      { ready: { days: 1, minutes: 60 } },
      runs('2000'),
      { target: 'D+1 01:00', attained: 0, of: 1, breaches: 1, state: 'breached' },
    ],
    [
      'a day that was ready in time',
      { ready: { days: 1, minutes: 60 } },
      runs('2000', `${11 * 60 + 30}`),
      { attained: 100, actual: 100, budget_left: 100, breaches: 0, state: 'met' },
    ],
    [
      'the latest day that is not ready, where half of them may be late',
      { ready: { days: 1, minutes: 60 }, objective: 50 },
      runs('3000', '2130'),
      { attained: 50, of: 2, breaches: 1, state: 'breached' },
    ],
    [
      'a day that was late, where half of them may be',
      { ready: { days: 1, minutes: 60 }, objective: 50 },
      runs('3000', '2000', '675'),
      { attained: 50, of: 2, breaches: 1, state: 'met' },
    ],
  ];
  for (const [name, slo, of, expected] of CASES) {
    test(name, () => {
      const window = { from: NOW - 30 * DAY, now: NOW, timezone: 'UTC' };
      const [judged, ...others] = judgeSlo({ ...NOTHING, ...slo }, of, window);
      assert.deepEqual(others, []);
      assert.ok(judged);
      const got: Record<string, unknown> = { ...judged, breaches: judged.breaches.length };
      for (const [key, value] of Object.entries(expected)) {
        const found = got[key];
        if (typeof value === 'number' && typeof found === 'number')
          assert.ok(Math.abs(found - value) < 1e-6, `${key}: ${found}`);
        else assert.equal(found, value, key);
      }
    });
  }

  test('are told in words', () => {
    const slo: Slo = {
      freshnessMs: HOUR,
      quarantineRate: 1,
      successRate: 99,
      mttrMs: HOUR,
      p95Ms: HOUR,
      ready: { days: 1, minutes: 5 },
    };
    const window = { from: NOW - 30 * DAY, now: NOW, timezone: 'UTC' };
    // Of 3,001 minutes 2,840 and 39 were too many after a success.
    const texts = judgeSlo(slo, [...runs('3000', '200x', '100'), ...rejecting([3])], window).map((one) =>
      Object.values(describePromise(one)).join(' | '),
    );
    assert.deepEqual(texts, [
      'freshness | breached | 1 min 00 s | <= 1 h 00 min | 99 % | 4 % | -9493.5 %',
      'day is ready | breached | 0 % | D+1 00:05 | 99 % | 0 % | -9900 %',
      'success rate | breached | 75 % | >= 99 % | 99 % | 75 % | -2400 %',
      'p95 | unknown | 1 min 00 s | <= 1 h 00 min | 95 % | 100 % | 100 %',
      'rejected rows | breached | 1.5 % | <= 1 % | 99 % | 0 % | -9900 %',
      'mean time to repair | breached | 1 h 40 min | <= 1 h 00 min | - | 0 % | -',
    ]);
    assert.deepEqual([formatPercent(99.96), formatPercent(null), formatPercent(-0.01)], ['99.9 %', '-', '-0.1 %']);
  });

  test('say what broke them, and come in an order', () => {
    const slo: Slo = {
      freshnessMs: HOUR,
      quarantineRate: 1,
      successRate: 99,
      mttrMs: 1,
      p95Ms: 1,
      ready: { days: 1, minutes: 0 },
    };
    const window = { from: NOW - 30 * DAY, now: NOW, timezone: 'UTC' };
    const judged = judgeSlo(slo, runs('3000', '2000x', '1990x', '100'), window);
    assert.deepEqual(
      judged.map((one) => [one.name, one.breaches.map(({ what }) => what)]),
      [
        [
          'freshness',
          ['no run had succeeded for longer than the target', 'no run had succeeded for longer than the target'],
        ],
        ['ready', ['2026-03-29', '2026-03-30']],
        ['successRate', ['r2000x', 'r1990x']],
        ['p95', ['r3000', 'r100']],
        ['quarantineRate', []],
        ['mttr', ['r2000x, r1990x']],
      ],
    );
  });

  test('are judged by the runs of the window, incidents by their end', () => {
    const window = { from: NOW - 60 * MINUTE, now: NOW, timezone: 'UTC' };
    const of = runs('100x', '90', '80x', '50', '10');
    const [success, repair] = judgeSlo({ ...NOTHING, successRate: 99, mttrMs: HOUR }, of, window);
    assert.deepEqual([success?.of, success?.attained], [2, 100]);
    assert.deepEqual([repair?.of, repair?.actual], [1, 30 * MINUTE]);
  });
});

describe('the status of a pipeline', () => {
  const facts: StatusFacts = {
    pipeline: 'shop',
    owner: 'shop@example.com',
    tier: 1,
    timezone: 'UTC',
    slo: { freshnessMs: HOUR, quarantineRate: null, successRate: 50 },
    runs: runs(`${45 * 24 * 60}x`, `${40 * 24 * 60}`, '300x', '270', '120', '70x', '65x'),
    breaker: 'open',
    quarantine: [],
    behind: [],
    unfinished: null,
    suspended_files: 0,
    maintenance: [],
  };

  test('is of its runs of 30 days', () => {
    const found = judgePipeline(facts, NOW);
    assert.deepEqual(found.breached, ['freshness', 'successRate', 'breaker']);
    assert.deepEqual(
      { ...found.last_run },
      {
        run_id: 'r65x',
        status: 'FAILED',
        started_at: '2026-03-31T10:54:00.000Z',
        finished_at: '2026-03-31T10:55:00.000Z',
        duration_ms: MINUTE,
        error: 'AuditFailed: 65x',
      },
    );
    assert.equal(found.last_success, '2026-03-31T10:00:00.000Z');
    assert.equal(found.freshness_ms, 2 * HOUR);
    assert.deepEqual(found.open_incident, {
      since: '2026-03-31T10:50:00.000Z',
      failures: 2,
      error: 'AuditFailed: 65x',
    });
    assert.deepEqual([found.incidents, found.mttr_ms, found.days], [1, 30 * MINUTE, 30]);
    assert.deepEqual(found.runs, {
      n: 2,
      mean: MINUTE,
      p50: MINUTE,
      p95: MINUTE,
      few: true,
      failed: 3,
      success_rate: 40,
    });
    assert.equal(judgePipeline(facts, NOW, 41).runs.n, 3);
    assert.ok(!('timezone' in found));
  });

  test('of one that never ran breaks no promise', () => {
    const found = judgePipeline({ ...facts, runs: [], breaker: 'closed' }, NOW);
    assert.deepEqual(found.breached, []);
    assert.deepEqual(
      [found.last_run, found.last_success, found.freshness_ms, found.open_incident],
      [null, null, null, null],
    );
    assert.deepEqual(found.runs, { n: 0, mean: null, p50: null, p95: null, few: true, failed: 0, success_rate: null });
  });
});
