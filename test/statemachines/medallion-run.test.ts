import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { loadStateMachine } from '../../lib/asl/load.ts';
import { lowerStateMachine } from '../../lib/asl/lower.ts';
import { AuditFailed, CommitConflict, CommitStateUnknown, LockHeld, Unavailable } from '../../lib/core/errors.ts';
import type { JsonValue } from '../../lib/ports.ts';
import { runStateMachine, type StateHandler, type StateMachineResult } from '../../lib/runtime/state-machine.ts';

const FILE = new URL('../../statemachines/medallion.asl.json', import.meta.url);
const definition = lowerStateMachine(loadStateMachine(readFileSync(FILE, 'utf8'), 'medallion.asl.json'));

type RunState = { readonly level: number; readonly [field: string]: JsonValue };
type Handlers = Readonly<Record<string, (input: RunState) => Promise<JsonValue>>>;

const INPUT = { pipeline: 'shop', run_id: 'r-1', dry_run: false };
const RUN = { pipeline: 'shop', run_id: 'r-1', dry_run: false };
const UNITS: Readonly<Record<string, readonly JsonValue[]>> = {
  'ops/shop/_runs/r-1/stage-0.json': [{ id: 's0a' }, { id: 's0b' }],
  'ops/shop/_runs/r-1/merge-0.json': [{ id: 'm0a' }],
  'ops/shop/_runs/r-1/stage-1.json': [{ id: 's1a' }],
  'ops/shop/_runs/r-1/merge-1.json': [],
};

const listed = (state: RunState, step: 'stage' | 'merge'): JsonValue => {
  const units_key = `ops/shop/_runs/r-1/${step}-${state.level}.json`;
  return { ...state, [step]: { units_key, count: UNITS[units_key]?.length ?? 0 } };
};

/** Steps that do nothing but pass the state on as the real ones do. */
const STEPS: Handlers = {
  Open: async () => ({ status: 'planned', run: RUN, level: 0, levels: 2 }),
  PlanStage: async (state) => listed(state, 'stage'),
  Stage: async () => null,
  PlanMerge: async (state) => listed(state, 'merge'),
  Merge: async () => null,
  Audit: async (state) => ({ ...state, level: state.level + 1 }),
  Commit: async (state) => state,
  Finish: async (state) => state,
  Fail: async () => null,
};

type Call = { readonly state: string; readonly input: RunState };

async function play(changes: Handlers): Promise<{ result: StateMachineResult; calls: readonly Call[] }> {
  const calls: Call[] = [];
  const handlers = Object.fromEntries(
    Object.entries({ ...STEPS, ...changes }).map(([state, step]): [string, StateHandler] => [
      state,
      async (input) => {
        calls.push({ state, input: input as RunState });
        return step(input as RunState);
      },
    ]),
  );
  const readItems = async (key: string): Promise<readonly JsonValue[]> => UNITS[key] ?? assert.fail(`read ${key}`);
  const result = await runStateMachine({
    definition,
    input: INPUT,
    handlers,
    readItems,
    concurrency: 1,
    retryIntervalMs: 0,
  });
  return { result, calls };
}

const statesOf = (calls: readonly Call[]): readonly string[] => calls.map(({ state }) => state);

/** Fails the first `times` calls. */
function failing(times: number, error: Error, then: StateHandler = async (state) => state): StateHandler {
  let calls = 0;
  return async (input) => {
    calls += 1;
    if (calls <= times) throw error;
    return then(input);
  };
}

describe('medallion on one machine', () => {
  it('goes through two levels and publishes once', async () => {
    const { result, calls } = await play({});
    const levels = [
      'PlanStage',
      'Stage',
      'Stage',
      'PlanMerge',
      'Merge',
      'Audit',
      'PlanStage',
      'Stage',
      'PlanMerge',
      'Audit',
    ];
    assert.deepEqual(statesOf(calls), ['Open', ...levels, 'Commit', 'Finish']);
    const last = { units_key: 'ops/shop/_runs/r-1/merge-1.json', count: 0 };
    assert.deepEqual(result, {
      status: 'SUCCEEDED',
      output: {
        status: 'planned',
        run: RUN,
        level: 2,
        levels: 2,
        stage: { units_key: 'ops/shop/_runs/r-1/stage-1.json', count: 1 },
        merge: last,
      },
    });
  });

  it('gives workers the run and their unit, nothing else', async () => {
    const { calls } = await play({});
    const workers = calls.filter(({ state }) => state === 'Stage' || state === 'Merge').map(({ input }) => input);
    const units = ['s0a', 's0b', 'm0a', 's1a'];
    assert.deepEqual(
      workers,
      units.map((id) => ({ run: RUN, unit: { id } })),
    );
  });

  for (const status of ['nothing', 'done']) {
    it(`ends after Open when it says '${status}'`, async () => {
      const { result, calls } = await play({ Open: async () => ({ status, run: RUN, level: 0, levels: 0 }) });
      assert.deepEqual(statesOf(calls), ['Open']);
      assert.equal(result.status, 'SUCCEEDED');
    });
  }

  for (const worker of ['Stage', 'Merge']) {
    it(`ends FAILED through one call of Fail when a unit of ${worker} fails`, async () => {
      const { result, calls } = await play({ [worker]: () => Promise.reject(new AuditFailed('bad unit')) });
      assert.equal(
        calls.filter(({ state }) => state === worker).length,
        1,
        'a unit is not retried, the rest not begun',
      );
      assert.deepEqual(statesOf(calls).slice(-2), [worker, 'Fail']);
      assert.equal(result.status, 'FAILED');
      const failed = calls.at(-1)?.input;
      assert.deepEqual(failed?.['run'], RUN);
      assert.match(JSON.stringify(failed?.['error']), /States\.ExceedToleratedFailureThreshold.*AuditFailed: bad unit/);
    });
  }

  it('hands the input of the execution to Fail when Open fails, and keeps the error as the result', async () => {
    const { result, calls } = await play({ Open: () => Promise.reject(new LockHeld('another run')) });
    assert.deepEqual(calls.at(-1), {
      state: 'Fail',
      input: { ...INPUT, error: { Error: 'LockHeld', Cause: 'another run' } },
    });
    assert.deepEqual(result, { status: 'FAILED', error: 'LockHeld', cause: 'another run' });
  });

  it('keeps the first error when Fail fails too', async () => {
    const { result } = await play({
      Commit: () => Promise.reject(new AuditFailed('first')),
      Fail: () => Promise.reject(new AuditFailed('second')),
    });
    assert.deepEqual(result, { status: 'FAILED', error: 'AuditFailed', cause: 'first' });
  });

  for (const error of [new CommitConflict('x'), new CommitStateUnknown('x'), new Unavailable('x')]) {
    it(`retries ${error.name} of Commit and goes on`, async () => {
      const { result, calls } = await play({ Commit: failing(6, error) });
      assert.equal(calls.filter(({ state }) => state === 'Commit').length, 7);
      assert.deepEqual(statesOf(calls).slice(-2), ['Commit', 'Finish']);
      assert.equal(result.status, 'SUCCEEDED');
    });
  }

  it('gives up a retryable error at last, and never retries another', async () => {
    const lasting = await play({ Audit: failing(99, new Unavailable('gone')) });
    assert.equal(lasting.calls.filter(({ state }) => state === 'Audit').length, 7);
    assert.deepEqual(lasting.result, { status: 'FAILED', error: 'Unavailable', cause: 'gone' });
    const other = await play({ Audit: failing(1, new AuditFailed('no')) });
    assert.deepEqual(statesOf(other.calls).slice(-2), ['Audit', 'Fail']);
    assert.equal(statesOf(other.calls).filter((state) => state === 'Audit').length, 1);
  });

  it('retries one unit of a worker and goes on', async () => {
    const { result, calls } = await play({ Stage: failing(2, new Unavailable('x'), async () => null) });
    assert.equal(calls.filter(({ state }) => state === 'Stage').length, 5);
    assert.equal(result.status, 'SUCCEEDED');
  });
});
