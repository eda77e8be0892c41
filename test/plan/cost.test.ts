import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { type Compute, DEFAULT_COMPUTE } from '../../lib/core/compute.ts';
import type { CostLine } from '../../lib/core/cost.ts';
import type { Gated } from '../../lib/core/promote.ts';
import type { RunResult } from '../../lib/core/run.ts';
import { STEP_NAMES, type StepCompute, type StepName } from '../../lib/core/states.ts';
import { costOfCompaction, costOfSweep, estimateCompaction, REWRITES_AT_ONCE } from '../../lib/plan/compaction-cost.ts';
import { costOfRun, estimateRun } from '../../lib/plan/cost.ts';
import { costOfQuery, PRICES, type Prices } from '../../lib/plan/prices.ts';
import { WHOLE } from '../../lib/plan/run-shape.ts';
import type { Rates, RunWork, UnitWork } from '../../lib/plan/run-work.ts';

/** Prices at which sums can be done in the head: a GB-second costs 1,024, everything else 1. */
const ROUND: Prices = {
  region: 'test',
  checked: '2026-01-01',
  lambda: { gbSecond: 1_024, request: 1, tmpGbSecond: 1_024, freeTmpMb: 512 },
  transition: 1,
  s3: { put: 1, get: 1 },
  glue: { dpuHour: 3_600, vcpus: 4, dpus: 2, seconds: 60 },
  athena: { terabyte: 5, step: 2 ** 20, atLeast: 10 },
  standing: PRICES.standing,
};

/** A start is a second, requests take no time, and a vCPU works 10, 20 or 40 MB a second. */
const RATES: Rates = {
  bytesPerSecond: { parse: 10_000_000, merge: 20_000_000, model: 40_000_000 },
  startMs: 1_000,
  requestMs: 0,
};

function everyStep(own: Partial<StepCompute>): Compute {
  const step = { ...DEFAULT_COMPUTE.steps.Open, memoryMb: 1_769, tmpMb: 512, ...own };
  return { ...DEFAULT_COMPUTE, steps: Object.fromEntries(STEP_NAMES.map((name) => [name, step])) as Compute['steps'] };
}

function unit(kind: UnitWork['kind'], units: number, bytes: number): UnitWork {
  return { kind, units, bytes };
}

function quantities(lines: readonly CostLine[]): Readonly<Record<string, number>> {
  return Object.fromEntries(lines.map(({ item, quantity }) => [item, quantity]));
}

/** Seconds of each step, from GB-seconds of functions with 1,769 MB. */
function secondsOf(lines: readonly CostLine[]): Readonly<Record<string, number>> {
  const own = lines.filter(({ item }) => STEP_NAMES.some((step) => step === item));
  return Object.fromEntries(own.map(({ item, quantity }) => [item, Math.round((quantity * 1_024) / 17.69) / 100]));
}

const ONE_FILE: RunWork = {
  files: 1,
  tables: 1,
  existing: 0,
  reads: 0,
  writes: 0,
  levels: [{ stage: [unit('parse', 1, 20_000_000)], merge: [] }],
};

describe('an estimate', () => {
  const cases: readonly {
    readonly name: string;
    readonly work: RunWork;
    readonly seconds: Partial<Record<StepName, number>>;
    readonly requests: number;
    readonly transitions: number;
    readonly put: number;
    readonly get: number;
    readonly glueSeconds: number;
    /** Of the whole run. */
    readonly wall: number;
  }[] = [
    {
      name: 'one unit of 20 MB on one level',
      work: ONE_FILE,
      // One start each, and 20 MB at 10 MB a second.
      seconds: { Open: 1, Level: 1, Stage: 3, PlanMerge: 1, Audit: 1, Commit: 1, Finish: 1 },
      requests: 7,
      // 6 around, 2 of the call of Level, 5 of what it has left, 2 of the unit.
      transitions: 15,
      // 10 + 4 + 4 + 1 + 1 + 17 + 5 of the calls, 2 of the level, 5 of the table, a map with 2, 1 of the metrics.
      put: 52,
      // 10 + 12 + 14 + 6 + 3 + 50 + 12 of the calls, 9, 15, 1 file, 1 part of 16 MiB, 7 looks at the lock, a map, 4.
      get: 145,
      glueSeconds: 60,
      wall: 9,
    },
    {
      name: 'the same in one call of Level',
      work: { ...ONE_FILE, levels: [{ stage: [unit('parse', 1, 20_000_000)], merge: [], within: WHOLE }] },
      // One start each, and the 20 MB in Level.
      seconds: { Open: 1, Level: 3, Commit: 1, Finish: 1 },
      requests: 4,
      // 6 around, Level, WhatIsLeft, MoreLevels.
      transitions: 9,
      // No map.
      put: 50,
      // 3 looks fewer, and a list in the place of a map.
      get: 142,
      glueSeconds: 60,
      wall: 6,
    },
    {
      name: 'and tables that are served',
      work: {
        ...ONE_FILE,
        levels: [{ stage: [unit('parse', 1, 20_000_000)], merge: [], within: WHOLE }],
        served: unit('merge', 1, 40_000_000),
      },
      // A start, and 40 MB at 20 MB a second.
      seconds: { Open: 1, Level: 3, Commit: 1, Serve: 3, Finish: 1 },
      requests: 5,
      // IsServed and Serve more.
      transitions: 11,
      put: 52,
      // 12 more, and a look at the lock.
      get: 155,
      glueSeconds: 60,
      wall: 9,
    },
    {
      name: 'and conditions that let it through',
      work: {
        ...ONE_FILE,
        levels: [{ stage: [unit('parse', 1, 20_000_000)], merge: [], within: WHOLE }],
        gate: 'passed',
      },
      seconds: { Open: 1, Level: 3, Gate: 1, Commit: 1, Finish: 1 },
      requests: 5,
      // Gate and IsApproved more.
      transitions: 11,
      put: 52,
      // 15 more, 7 of the table, and a look at the lock.
      get: 165,
      glueSeconds: 60,
      wall: 7,
    },
    {
      name: 'and a person who decides',
      work: {
        ...ONE_FILE,
        levels: [{ stage: [unit('parse', 1, 20_000_000)], merge: [], within: WHOLE }],
        gate: 'waited',
      },
      // Twice what comes before Commit, which finds the 20 MB done.
      seconds: { Open: 2, Level: 4, Gate: 2, Commit: 1, Finish: 1 },
      requests: 8,
      // AwaitDecision, OpenRequested, Open, IsThereWork, Level, WhatIsLeft, MoreLevels, Gate and IsApproved more than that.
      transitions: 20,
      // 2 and 2 of Gate, 10 of Open, 2 of the level.
      put: 66,
      // Twice 22, 4 looks at the lock, 10 of Open, 12 of the level.
      get: 212,
      glueSeconds: 60,
      wall: 10,
    },
    {
      name: 'two levels with a merge and gold',
      work: {
        files: 2_500,
        tables: 3,
        existing: 2,
        reads: 40,
        writes: 6,
        levels: [
          { stage: [unit('parse', 4, 4_000_000_000)], merge: [unit('merge', 2, 1_000_000_000)] },
          { stage: [unit('model', 1, 80_000_000)], merge: [] },
        ],
      },
      // Stage: 5 starts, 400 s of parsing, 2 s of SQL. Merge: 2 starts, 50 s.
      seconds: { Open: 1, Level: 2, Stage: 407, PlanMerge: 2, Merge: 52, Audit: 2, Commit: 1, Finish: 1 },
      // 1 + 2 + 5 + 2 + 2 + 2 + 1 + 1.
      requests: 16,
      // 6 around, 4 of two calls of Level, 6 and 5 of what they have left, 14 of 7 units.
      transitions: 35,
      // 10 + 8 + 20 + 2 + 8 + 2 + 17 + 5 of the calls, 4, 15 of the tables, 6 more files, 3 maps with 2, 1, 2 more pages.
      put: 106,
      // 10 + 24 + 70 + 12 + 30 + 6 + 50 + 12, 18, 45 and 18 of the 2 that exist, 2,500 files, 40 and 6 of tables, 238 + 59
      // + 4 parts, 16 looks, 3 maps, 4.
      get: 3_165,
      // 452 vCPU seconds by 8 vCPU.
      glueSeconds: 60,
      // 9 of the light steps; 1 + 400 / 4, 1 + 50 / 2 and 1 + 2 of the units.
      wall: 139,
    },
    {
      name: 'an empty level is gone through all the same, without a map',
      work: { files: 0, tables: 0, existing: 0, reads: 0, writes: 0, levels: [{ stage: [], merge: [] }] },
      seconds: { Open: 1, Level: 1, PlanMerge: 1, Audit: 1, Commit: 1, Finish: 1 },
      requests: 6,
      transitions: 12,
      put: 41,
      get: 112,
      glueSeconds: 60,
      wall: 6,
    },
  ];
  for (const { name, work, seconds, requests, transitions, put, get, glueSeconds, wall } of cases) {
    test(name, () => {
      const cost = estimateRun(work, everyStep({}), { prices: ROUND, rates: RATES });
      assert.deepEqual(secondsOf(cost.lines), seconds);
      const found = quantities(cost.lines);
      assert.deepEqual(
        [found['requests'], found['state transitions'], found['PUT and LIST'], found['GET'], found['/tmp']],
        [requests, transitions, put, get, 0],
      );
      assert.equal(cost.seconds, wall);
      assert.deepEqual(cost.glue, { dpus: 2, seconds: glueSeconds, usd: 2 * glueSeconds });
      const memory = 1_769 * Object.values(seconds).reduce((sum, one) => sum + one, 0);
      assert.ok(Math.abs(cost.usd - (memory + requests + transitions + put + get)) < 1e-6, String(cost.usd));
    });
  }

  test('units beyond those that work at once wait for their turn', () => {
    const work = { ...ONE_FILE, levels: [{ stage: [unit('parse', 4, 40_000_000)], merge: [] }] };
    const two = { ...everyStep({}), maxConcurrency: 2 };
    // 6 of the light steps; two turns of a start, and 4 s of parsing by two.
    assert.equal(estimateRun(work, two, { prices: ROUND, rates: RATES }).seconds, 6 + 2 + 2);
  });

  test('memory costs by the GB and brings the vCPUs that shorten the work', () => {
    const twice = estimateRun(ONE_FILE, everyStep({ memoryMb: 3_538 }), { prices: ROUND, rates: RATES });
    const stage = twice.lines.find(({ item }) => item === 'Stage');
    // A start and 20 MB on two vCPU: 2 s of 3,538 MB.
    assert.equal(Math.round(stage?.usd ?? 0), 2 * 3_538);
  });

  test('/tmp costs beyond the 512 MB that are free', () => {
    const cost = estimateRun(ONE_FILE, everyStep({ tmpMb: 512 + 2_048 }), { prices: ROUND, rates: RATES });
    // 9 s of 2 GB.
    assert.equal(quantities(cost.lines)['/tmp'], 18);
  });

  test('requests take their time, those of tables in Audit', () => {
    const rates = { ...RATES, startMs: 0, requestMs: 100 };
    const { lines } = estimateRun({ ...ONE_FILE, tables: 2 }, everyStep({}), { prices: ROUND, rates });
    // 20 requests; 18 and 20 MB; 4 and twice 20.
    assert.deepEqual([secondsOf(lines)['Open'], secondsOf(lines)['Stage'], secondsOf(lines)['Audit']], [2, 3.8, 4.4]);
  });

  test('Glue is billed by the second beyond its first minute', () => {
    const work = { ...ONE_FILE, levels: [{ stage: [unit('parse', 9, 8_004_000_000)], merge: [] }] };
    // 800.4 vCPU seconds by 8 vCPU are 100.05 s.
    assert.equal(estimateRun(work, everyStep({}), { prices: ROUND, rates: RATES }).glue.seconds, 101);
  });

  test('names the run whose staging was measured', () => {
    assert.equal(estimateRun(ONE_FILE, everyStep({})).rates.run, null);
    assert.equal(estimateRun(ONE_FILE, everyStep({}), { measuredIn: 'r1' }).rates.run, 'r1');
  });
});

const RESULT: RunResult = {
  run_id: 'r1',
  pipeline: 'shop',
  status: 'SUCCEEDED',
  accounting: {},
  rejected_files: [],
  left_files: [],
  skipped: { count: 0, names: [] },
  suspended_files: [],
  tables: {
    'shop_silver.orders': { rows_added: 1, files_added: 1, snapshot_id: '1' },
    'shop_gold.totals': { rows_added: 0, files_added: 0, snapshot_id: null },
  },
  warnings: [],
  previews: {},
  duration_ms: 20_000,
  steps: [
    { step: 'Open', level: null, units: 0, ms: 2_000 },
    { step: 'PlanStage', level: 0, units: 0, ms: 500 },
    { step: 'Stage', level: 0, units: 3, ms: 60_000 },
    { step: 'Merge', level: 0, units: 2, ms: 9_000 },
    { step: 'Audit', level: 0, units: 0, ms: 1_500 },
    { step: 'PlanStage', level: 1, units: 0, ms: 500 },
    { step: 'Audit', level: 1, units: 0, ms: 500 },
    { step: 'Commit', level: null, units: 0, ms: 1_000 },
  ],
  error: null,
};

describe('a finished run', () => {
  test('of an earlier release costs by the times of its steps, half a second for each start, and what no step times', () => {
    const cost = costOfRun(RESULT, everyStep({}), ROUND);
    assert.deepEqual(secondsOf(cost.lines), {
      Open: 2.5,
      PlanStage: 2,
      Stage: 61.5,
      // Two calls of half a second and 7 requests of 30 ms.
      PlanMerge: 1.42,
      Merge: 10,
      Audit: 3,
      Commit: 1.5,
      // Half a second and 17 requests.
      Finish: 1.01,
    });
    const found = quantities(cost.lines);
    // 1 + 2 + 3 + 2 + 2 + 2 + 1 + 1 calls; 6 around, 8 and 6 of levels without Level, 10 of five units.
    assert.deepEqual([found['requests'], found['state transitions']], [14, 30]);
    // 10 + 8 + 12 + 2 + 8 + 2 + 17 + 5, 4 of the levels, 5 of the one table that was published, 2 maps with 2, 1.
    assert.equal(found['PUT and LIST'], 78);
    // 10 + 24 + 42 + 12 + 30 + 6 + 50 + 12, 18, 15 and 9, 14 looks at the lock, 2 maps, 4.
    assert.equal(found['GET'], 248);
    assert.equal(cost.requests, 'assumed');
    assert.equal(found['files read'], undefined);
  });

  const COUNTED = RESULT.steps.map((step) => ({
    ...step,
    spent: { get: 10, put: 2, bytes_in: 1_000, bytes_out: 200 },
  }));

  test('costs what its steps counted, and what is asked for around them', () => {
    const cost = costOfRun({ ...RESULT, steps: COUNTED }, everyStep({}), ROUND);
    const found = quantities(cost.lines);
    assert.equal(cost.requests, 'counted');
    // 8 rows of steps with 2; 2 maps with 2; 1 of the metrics.
    assert.equal(found['PUT and LIST'], 21);
    // 8 with 10; 14 looks at the lock; 2 maps; 4 of the metrics.
    assert.equal(found['GET'], 100);
    assert.deepEqual([found['files read'], found['files written']], [8_000, 1_600]);
    const bytes = cost.lines.filter(({ unit }) => unit === 'bytes');
    assert.deepEqual(
      bytes.map(({ usd }) => usd),
      [0, 0],
    );
  });

  test('costs one call of Level for what was done within', () => {
    const { spent } = COUNTED[0] ?? assert.fail();
    const planned = [0, 1].map((level) => ({ step: 'PlanMerge', level, units: 0, ms: 100, spent }));
    const steps = [...COUNTED, ...planned].map((step) =>
      step.level === null ? step : { ...step, within: 'Level' as const },
    );
    const { lines } = costOfRun({ ...RESULT, steps }, everyStep({}), ROUND);
    // A start, and all that its steps took: 500 + 60,000 + 9,000 + 1,500 + 500 + 500 + 200 ms.
    assert.deepEqual(secondsOf(lines), { Open: 2.5, Level: 72.7, Commit: 1.5, Finish: 1.01 });
    const found = quantities(lines);
    assert.deepEqual([found['requests'], found['state transitions']], [4, 9]);
    // 10 rows of steps with 2, 1; 10 with 10, 4 looks at the lock, 2 lists, 4.
    assert.deepEqual([found['PUT and LIST'], found['GET']], [21, 110]);
  });

  test('that served, or could not, costs what that took', () => {
    const serve = { tables: [], error: null };
    const one = { step: 'Serve', level: null, units: 0, ms: 3_000, spent: COUNTED[0]?.spent ?? assert.fail() } as const;
    const { lines } = costOfRun({ ...RESULT, serve, steps: [...COUNTED, one] }, everyStep({}), ROUND);
    assert.equal(secondsOf(lines)['Serve'], 3.5);
    const found = quantities(lines);
    assert.deepEqual([found['requests'], found['state transitions'], found['GET']], [15, 32, 111]);
    const failed = costOfRun(
      { ...RESULT, serve: { tables: [], error: { name: 'Unavailable', message: '' } } },
      everyStep({}),
      ROUND,
    );
    assert.equal(quantities(failed.lines)['state transitions'], 32);
  });

  test('that had to be approved costs what its steps counted, and what that takes, with all that is asked once more of one that has waited', () => {
    const [, passed, waited] = [undefined, 'passed', 'waited'].map((gate) => {
      const approved = gate === undefined ? {} : { gate: gate as Gated };
      return costOfRun({ ...RESULT, steps: COUNTED, ...approved }, everyStep({}), ROUND);
    });
    // A start, and 15 + 2 + 7 requests of 30 ms.
    assert.equal(secondsOf(passed?.lines ?? [])['Gate'], 1.22);
    assert.equal(secondsOf(waited?.lines ?? [])['Gate'], 2.44);
    // 20 requests of Open; of the two levels 28.
    assert.deepEqual([secondsOf(waited?.lines ?? [])['Open'], secondsOf(waited?.lines ?? [])['Level']], [3.6, 1.34]);
    const found = [passed, waited].map((cost) => quantities(cost?.lines ?? []));
    assert.deepEqual(
      found.map((one) => [one['requests'], one['state transitions'], one['PUT and LIST'], one['GET']]),
      [
        [15, 32, 21 + 2, 100 + 22 + 1],
        [18, 41, 21 + 2 * 2 + 10 + 4, 100 + 2 * 22 + 10 + 24 + 4],
      ],
    );
    assert.equal(waited?.requests, 'counted');
  });

  test('has no metrics when it was dry', () => {
    const cost = costOfRun({ ...RESULT, status: 'DRY_RUN', steps: COUNTED }, everyStep({}), ROUND);
    const found = quantities(cost.lines);
    assert.deepEqual([found['PUT and LIST'], found['GET']], [20, 96]);
  });

  test('of which one step did not count is assumed as a whole', () => {
    const [first, ...others] = COUNTED;
    const steps = [{ step: 'Open', level: null, units: 0, ms: first?.ms ?? 0 }, ...others];
    assert.equal(costOfRun({ ...RESULT, steps }, everyStep({})).requests, 'assumed');
  });

  test('in dollars', () => {
    const cost = costOfRun(RESULT, everyStep({ memoryMb: 2_048 }));
    const stage = cost.lines.find(({ item }) => item === 'Stage');
    // 61.5 s of 2 GB at 0.0000133334.
    assert.equal(stage?.usd, 0.001640008);
    assert.equal(cost.lines.find(({ item }) => item === 'state transitions')?.usd, 0.00075);
    const sum = cost.lines.reduce((total, { usd }) => total + usd, 0);
    assert.ok(Math.abs(cost.usd - sum) < 1e-7);
    assert.deepEqual([cost.region, cost.prices_checked], [PRICES.region, PRICES.checked]);
  });
});

describe('the price table', () => {
  test('agrees with published examples', () => {
    // aws.amazon.com/glue/pricing: 6 DPU for 15 minutes cost 0.66.
    assert.equal(Number((6 * 0.25 * PRICES.glue.dpuHour).toFixed(2)), 0.66);
    // aws.amazon.com/athena/pricing: 3 TB cost 15.
    assert.equal(costOfQuery(3 * 2 ** 40), 15);
    // A million requests to Lambda cost 0.20, a million state transitions 25, a million PUT 5, a million GET 0.40.
    const { lambda, transition, s3 } = PRICES;
    const million = [lambda.request, transition, s3.put, s3.get].map((price) => Number((price * 1e6).toFixed(2)));
    assert.deepEqual(million, [0.2, 25, 5, 0.4]);
  });

  const QUERIES: readonly (readonly [string, number, number])[] = [
    ['nothing scanned', 0, 0],
    ['one byte is billed as 10 MB', 1, (10 / 2 ** 20) * 5],
    ['10 MB and a byte are 11 MB', 10 * 2 ** 20 + 1, (11 / 2 ** 20) * 5],
    ['a TB', 2 ** 40, 5],
  ];
  for (const [name, bytes, usd] of QUERIES) {
    test(`Athena: ${name}`, () => assert.equal(costOfQuery(bytes), usd));
  }
});

describe('a compaction', () => {
  const work = { tables: 1, units: 4, files: 100, filesAfter: 4, bytes: 80_000_000 };

  test('reads and writes its bytes, in units side by side', () => {
    const { lines, seconds } = estimateCompaction(work, everyStep({}), { prices: ROUND, rates: RATES });
    assert.deepEqual(secondsOf(lines), { OpenRewrite: 1, Rewrite: 4 + 4, CommitRewrite: 1, FinishRewrite: 1 });
    assert.equal(seconds, 3 + 8 / 4);
    const found = quantities(lines);
    assert.equal(found['state transitions'], 8 + 4 * 2);
    assert.equal(found['requests'], 7);
    // Of the steps, of the table in three of them, of the files, of the lock at each call, and of the map.
    assert.equal(found['GET'], 10 + 5 * 4 + 12 + 15 + (8 + 17 + 9) + 100 + 7 + 1);
    assert.equal(found['PUT and LIST'], 4 + 2 * 4 + 6 + 3 + (2 + 6 + 1) + 4 + 2);
  });

  test('has cost what its units and its commit measured, and what its begin and its end are assumed to', () => {
    const spent = { get: 30, put: 3, bytes_in: 0, bytes_out: 0 };
    const measured = {
      tables: 2,
      planning_ms: 500,
      units: [{ ms: 2_000, spent }, { ms: 3_000 }],
      commit: { ms: 4_000, spent },
    };
    const prices = { prices: ROUND, rates: { ...RATES, requestMs: 10 } };
    const { lines } = costOfCompaction(measured, everyStep({}), prices);
    // FinishRewrite: of a call, and of two tables.
    const [get, put] = [15 + 2 * 9, 3 + 2 * 1];
    const seconds = { OpenRewrite: 1.5, Rewrite: 2 + 5, CommitRewrite: 5, FinishRewrite: 1 + (get + put) / 100 };
    assert.deepEqual(secondsOf(lines), seconds);
    const found = quantities(lines);
    assert.deepEqual([found['requests'], found['state transitions']], [5, 8 + 2 * 2]);
    assert.equal(found['GET'], 30 + 5 + 30 + (10 + 2 * 8) + get + 5 + 1);
    assert.equal(found['PUT and LIST'], 3 + 2 + 3 + (4 + 2 * 2) + put + 2);
    const { commit, ...rest } = measured;
    const unknown = quantities(costOfCompaction({ ...rest, commit: { ms: commit.ms } }, everyStep({}), prices).lines);
    assert.equal(unknown['GET'], Number(found['GET']) - 30 + 12 + 2 * 17);
  });

  test('is followed by sweeps, each by its own time', () => {
    const spent = { get: 7, put: 2, bytes_in: 0, bytes_out: 0 };
    const { lines } = costOfSweep({ ms: 9_000, spent }, everyStep({}), { prices: ROUND, rates: RATES });
    assert.deepEqual(secondsOf(lines), { Sweep: 10 });
    const found = quantities(lines);
    assert.deepEqual(
      [found['requests'], found['state transitions'], found['GET'], found['PUT and LIST']],
      [1, 2, 8, 2],
    );
    const none = quantities(costOfSweep({ ms: 0 }, everyStep({}), { prices: ROUND, rates: RATES }).lines);
    assert.deepEqual([none['GET'], none['PUT and LIST']], [1, 0]);
  });

  test('works on no more units at once than the state machine lets it', () => {
    const one = estimateCompaction({ ...work, units: 40 }, everyStep({}), { prices: ROUND, rates: RATES });
    assert.equal(one.seconds, 3 + 44 / 20);
    const machine = JSON.parse(readFileSync('statemachines/maintenance.asl.json', 'utf8')) as {
      readonly States: { readonly RewriteMap: { readonly MaxConcurrency: number } };
    };
    assert.equal(machine.States.RewriteMap.MaxConcurrency, REWRITES_AT_ONCE);
  });
});
