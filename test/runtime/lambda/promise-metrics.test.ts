import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createMemoryStore } from '../../../lib/adapters/store/memory.ts';
import { DEFAULT_COMPUTE, type Slo } from '../../../lib/core/compute.ts';
import type { AfterError } from '../../../lib/core/failed-run.ts';
import type { RunPlan } from '../../../lib/core/run.ts';
import { readJson, runFolder, writeJson } from '../../../lib/lake/run/run-folder.ts';
import { judgeSlo } from '../../../lib/report/slo.ts';
import { failRun } from '../../../lib/runtime/lambda/fail-run.ts';
import { hasPromises, judgeEnded, type Kept } from '../../../lib/runtime/lambda/promise-metrics.ts';
import { measureRun } from '../../../lib/runtime/lambda/run-metrics.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOTHING: Slo = { freshnessMs: null, quarantineRate: null };
const SLO: Slo = { ...NOTHING, quarantineRate: 10, successRate: 60, mttrMs: HOUR };
const START = Date.parse('2026-03-01T00:00:00Z');

/** Runs of ten minutes that end at these hours, by what is kept of those before: what each is measured by. */
function runs(slo: Slo, ends: readonly (readonly [hour: number, succeeded: boolean, rejected?: number])[]) {
  let kept: Kept | undefined;
  const figures = ends.map(([hour, succeeded, rejected = 0]) => {
    const finished = START + hour * HOUR;
    const ended = { started: finished - 600_000, finished, succeeded, duration_ms: 600_000, read: 100, rejected };
    const judged = judgeEnded(kept, ended, { slo });
    kept = judged.kept;
    return Object.fromEntries(judged.figures);
  });
  return { figures, kept: kept?.runs ?? [] };
}

describe('what is promised is judged whenever a run has ended', () => {
  test('by the runs before it, those that failed too', () => {
    const { figures, kept } = runs(SLO, [
      [0, true],
      [1, false],
      [2, false],
      [4, true],
      [5, true, 11],
    ]);
    assert.deepEqual(
      figures.map(({ PromisesBroken, MeanTimeToRepair }) => [PromisesBroken, MeanTimeToRepair]),
      [
        [0, undefined],
        // One of two has failed, of which 60 % are to succeed.
        [1, undefined],
        // And it lasts for an hour, and no longer.
        [1, undefined],
        [2, 3 * HOUR],
        // Three of five; the rate of the last.
        [2, 3 * HOUR],
      ],
    );
    const [first, second] = figures.map(({ ErrorBudgetLeft }) => Number(ErrorBudgetLeft));
    assert.deepEqual([first, Math.round(second ?? 0)], [100, 100 - 125]);
    assert.equal(kept.length, 5);
    const facts = kept.map(([started, finished, succeeded, duration_ms, read, rejected]) => ({
      ...{ run_id: '', error: null, started, finished, duration_ms, read, rejected },
      succeeded: succeeded === 1,
    }));
    const now = START + 5 * HOUR;
    const judged = judgeSlo(SLO, facts, { from: now - 30 * DAY, now, timezone: 'UTC' });
    assert.deepEqual(
      judged.map(({ name, state }) => `${name} ${state}`),
      ['successRate met', 'quarantineRate breached', 'mttr breached'],
    );
    assert.equal(figures[4]?.['ErrorBudgetLeft'], Math.min(...judged.flatMap(({ budget_left }) => budget_left ?? [])));
  });

  test('over 30 days, of which what is over is forgotten but for the last run before them', () => {
    const { figures, kept } = runs({ ...SLO, mttrMs: DAY }, [
      [-2, false],
      [-1, true],
      [0, true],
      [29 * 24, false],
      [30 * 24 + 2, true],
      [61 * 24, true],
    ]);
    assert.deepEqual(
      kept.map(([, finished]) => (finished - START) / HOUR),
      [30 * 24 + 2, 61 * 24],
    );
    assert.deepEqual(figures[4]?.['MeanTimeToRepair'], DAY + 2 * HOUR);
    assert.deepEqual(figures[5], { PromisesBroken: 0, ErrorBudgetLeft: 100 });
    const many = Array.from({ length: 2_001 }, (_, at) => [START + at, START + at, 1, 0, 0, 0] as const);
    const last = { started: START + HOUR, finished: START + HOUR, succeeded: true, duration_ms: 1 };
    const often = judgeEnded({ runs: many }, last, { slo: SLO }).kept.runs;
    assert.deepEqual(
      [often.length, often[0]?.[0], often.at(-1)],
      [2_000, START + 2, [START + HOUR, START + HOUR, 1, 1, 0, 0]],
    );
  });

  test('once, however often it is told of; and a run that failed and went on is two', () => {
    const { kept } = runs(SLO, [
      [1, false],
      [1, false],
      [1, true],
    ]);
    assert.deepEqual(
      kept.map(([, , succeeded]) => succeeded),
      [0, 1],
    );
    // A run that is gone on with and fails again has failed since the first time.
    const started = START;
    const failed = (hour: number) => ({ started, finished: START + hour * HOUR, succeeded: false, duration_ms: 1 });
    const once = judgeEnded(undefined, failed(1), { slo: SLO });
    const twice = judgeEnded(once.kept, failed(3), { slo: SLO });
    assert.deepEqual(
      twice.kept.runs.map(([, finished]) => finished),
      [START + HOUR],
    );
    assert.equal(Object.fromEntries(twice.figures).PromisesBroken, 2, 'it has lasted for longer than an hour');
  });

  test('where something is promised', () => {
    assert.deepEqual([hasPromises(undefined), hasPromises({ ...NOTHING, objective: 99 })], [false, false]);
    assert.ok(hasPromises({ ...NOTHING, freshnessMs: 1 }) && hasPromises({ ...NOTHING, mttrMs: 1 }));
  });
});

describe('functions that end runs', () => {
  const LAST = 'ops/shop/last-success.json';

  async function lake(slo: Slo) {
    const store = createMemoryStore();
    let now = new Date(START);
    const figures: Record<string, number> = {};
    const warned: string[] = [];
    const clock = { now: () => now };
    const log = { info: () => {}, warn: (event: string) => void warned.push(event) };
    const measure = (name: string, value: number): void => {
      figures[name] = value;
    };
    const planned = async (run_id: string): Promise<RunPlan['run']> => {
      const run = { pipeline: 'shop', run_id, dry_run: false };
      const spec = { name: 'shop', slo, compute: DEFAULT_COMPUTE, levels: [], models: [], sources: [] };
      const created_at = now.toISOString();
      await writeJson(store, runFolder.plan(run), { run, created_at, planning_ms: 0, sources: {}, spec });
      now = new Date(now.getTime() + HOUR);
      return run;
    };
    const succeed = async (run_id: string): Promise<void> => {
      const run = await planned(run_id);
      const orders = { read: 10, accepted: 8, quarantined: 1, condemned: 1, duplicates: 0 };
      const result = { accounting: { orders }, tables: {}, steps: [], duration_ms: 5, status: 'SUCCEEDED' };
      await writeJson(store, runFolder.result(run), result);
      await measureRun({ store, clock }, run, measure);
    };
    const fail = async (run_id: string): Promise<void> => {
      const error = { Error: 'AuditFailed', Cause: 'x' };
      const run = { ...(await planned(run_id)), epoch: 1 };
      await writeJson(store, 'ops/shop/lock.json', {
        epoch: 1,
        run_id,
        holder: 'me',
        expires_at: '2099-01-01T00:00:00Z',
      });
      const failed: AfterError = {
        state: { run, request: run, error } as unknown as AfterError['state'],
        execution: {},
      };
      const settings = { holder: () => 'me', leaseMs: 60_000, clocksAgree: true as const };
      const deps = { store, clock, log, isGone: () => false, settings, recordFailed: async () => {} };
      await failRun(failed, deps, { log, measure });
    };
    const kept = async (): Promise<Kept['runs']> => (await readJson<{ kept?: Kept }>(store, LAST)).kept?.runs ?? [];
    const measureBeside = async (run_id: string, beside: () => Promise<void>): Promise<void> => {
      const run = await planned(run_id);
      const result = { accounting: {}, tables: {}, steps: [], duration_ms: 5, status: 'SUCCEEDED' };
      await writeJson(store, runFolder.result(run), result);
      let first = true;
      const disturbed: typeof store = {
        ...store,
        async write(key, ...rest) {
          if (key === LAST && first) {
            first = false;
            await beside();
          }
          return store.write(key, ...rest);
        },
      };
      await measureRun({ store: disturbed, clock }, run, measure);
    };
    return { store, figures, warned, succeed, fail, kept, measureBeside };
  }

  test('measure what is promised: Finish with its rows, Fail before anything has ever succeeded', async () => {
    const { store, figures, warned, succeed, fail, kept } = await lake(SLO);
    await fail('a');
    assert.deepEqual([figures['PromisesBroken'], warned.includes('promises could not be judged')], [1, false]);
    await succeed('b');
    assert.deepEqual([figures['MeanTimeToRepair'], figures['PromisesBroken']], [HOUR, 2]);
    assert.ok(!('Freshness' in figures));
    assert.deepEqual(await kept(), [
      [START, START + HOUR, 0, HOUR, 0, 0],
      [START + HOUR, START + 2 * HOUR, 1, 5, 10, 2],
    ]);
    await fail('c');
    const last = await readJson<{ run_id: string }>(store, LAST);
    assert.deepEqual([last.run_id, (await kept()).length], ['b', 3], 'the last that succeeded is known all the same');
  });

  test('write nothing over that another one that ends at the same time has kept', async () => {
    const { store, figures, succeed, fail, kept, measureBeside } = await lake(SLO);
    await succeed('a');
    await measureBeside('b', () => fail('c'));
    assert.deepEqual(
      (await kept()).map(([, , succeeded]) => succeeded),
      [1, 0, 1],
    );
    assert.equal((await readJson<{ run_id: string }>(store, LAST)).run_id, 'b');
    assert.equal(figures['RunSucceeded'], 1);
  });

  test('keep nothing where nothing is promised', async () => {
    const { store, figures, succeed, fail, kept } = await lake(NOTHING);
    await fail('a');
    assert.equal(await store.head(LAST), undefined);
    await succeed('b');
    assert.deepEqual([await kept(), 'PromisesBroken' in figures], [[], false]);
  });
});
