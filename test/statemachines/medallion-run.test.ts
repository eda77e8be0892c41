import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { loadStateMachine } from '../../lib/asl/load.ts';
import { lowerStateMachine } from '../../lib/asl/lower.ts';
import { AuditFailed, CommitConflict, CommitStateUnknown, LockHeld, Unavailable } from '../../lib/core/errors.ts';
import type { AfterError } from '../../lib/core/failed-run.ts';
import { machineFor } from '../../lib/core/optional-states.ts';
import type { JsonValue } from '../../lib/ports.ts';
import { runStateMachine, type StateHandler, type StateMachineResult } from '../../lib/runtime/state-machine.ts';
import { runRunFailed } from '../../lib/steps/end/run-failed.ts';

const FILE = new URL('../../statemachines/medallion.asl.json', import.meta.url);
const whole = loadStateMachine(readFileSync(FILE, 'utf8'), 'medallion.asl.json');
/** Of a pipeline that serves nothing, and of one that does. */
const usual = lowerStateMachine(machineFor(whole, {}));
const serving = lowerStateMachine(machineFor(whole, { serve: { postgres: { secret: 'S', schema: 's', tables: [] } } }));

const gated = lowerStateMachine(
  machineFor(whole, { promote: { auto: null, maxQuarantineRate: null, forbid: [], expiresMs: 1 } }),
);

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

const PLANNED = { status: 'planned', request: INPUT, run: RUN, level: 0, levels: 2 };

/** Steps that do nothing but pass the state on as the real ones do. */
const STEPS: Handlers = {
  Open: async () => PLANNED,
  // Too much for one call.
  Level: async (state) => ({ ...(listed(state, 'stage') as RunState), left: 'stage' }),
  PlanStage: async (state) => listed(state, 'stage'),
  Stage: async () => null,
  PlanMerge: async (state) => listed(state, 'merge'),
  Merge: async () => null,
  Audit: async (state) => ({ ...state, level: state.level + 1 }),
  Commit: async (state) => state,
  Serve: async (state) => state,
  Finish: async (state) => state,
  Fail: async () => ({ run_id: 'r-1', redrives: 0 }),
  Notify: async () => null,
  MaintainAfter: async () => null,
  RunFailed: async (input) => ({ ...(await runRunFailed(input as unknown as AfterError)) }) as JsonValue,
};

type Call = { readonly state: string; readonly input: RunState };

async function play(
  changes: Handlers,
  {
    input = INPUT,
    execution = { Name: 'r-1' },
    startAt = 'Open',
    definition = usual,
    onEntered,
  }: {
    input?: JsonValue;
    execution?: JsonValue;
    startAt?: string;
    definition?: typeof usual;
    onEntered?: (state: string) => void;
  } = {},
): Promise<{ result: StateMachineResult; calls: readonly Call[] }> {
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
    definition: { ...definition, main: { ...definition.main, StartAt: startAt } },
    input,
    execution,
    handlers,
    readItems,
    concurrency: 1,
    retryIntervalMs: 0,
    onEvent: ({ kind, state }) => {
      if (kind === 'entered') onEntered?.(state);
    },
  });
  return { result, calls };
}

const FAILING = ['Fail', 'Notify', 'RunFailed'];

const inputOf = (calls: readonly Call[], name: string): AfterError =>
  calls.find(({ state }) => state === name)?.input as unknown as AfterError;

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
    const levels = ['Level', 'Stage', 'Stage', 'PlanMerge', 'Merge', 'Audit', 'Level', 'Stage', 'PlanMerge', 'Audit'];
    assert.deepEqual(statesOf(calls), ['Open', ...levels, 'Commit', 'Finish']);
    const last = { units_key: 'ops/shop/_runs/r-1/merge-1.json', count: 0 };
    assert.deepEqual(result, {
      status: 'SUCCEEDED',
      output: {
        status: 'planned',
        request: INPUT,
        run: RUN,
        level: 2,
        levels: 2,
        left: 'stage',
        stage: { units_key: 'ops/shop/_runs/r-1/stage-1.json', count: 1 },
        merge: last,
      },
    });
  });

  it('ends after one call of Level that leaves nothing, in eight transitions', async () => {
    const entered: string[] = [];
    const done = async (state: RunState): Promise<JsonValue> => ({ ...state, level: 2, left: 'nothing' });
    const { result, calls } = await play({ Level: done }, { onEntered: (state) => entered.push(state) });
    assert.equal(result.status, 'SUCCEEDED');
    assert.deepEqual(statesOf(calls), ['Open', 'Level', 'Commit', 'Finish']);
    const choices = ['IsThereWork', 'Level', 'WhatIsLeft', 'MoreLevels', 'Commit', 'Finish', 'IsOwnRun', 'Done'];
    assert.deepEqual(entered, ['Open', ...choices]);
  });

  const left = { stage: 's0a', plan_merge: 'PlanMerge', merge: 'm0a', audit: 'Audit' } as const;
  for (const [step, first] of Object.entries(left)) {
    it(`goes on with the level at '${step}' when Level leaves that`, async () => {
      let calledOfLevel = 0;
      const { result, calls } = await play({
        Level: async (state) => {
          calledOfLevel += 1;
          if (calledOfLevel > 1) return { ...state, level: 2, left: 'nothing' };
          return { ...(listed(listed(state, 'stage') as RunState, 'merge') as RunState), left: step };
        },
      });
      assert.equal(result.status, 'SUCCEEDED');
      const next = calls[2];
      assert.equal((next?.input['unit'] as { id?: string } | undefined)?.id ?? next?.state, first);
      assert.deepEqual(statesOf(calls).slice(-4), ['Audit', 'Level', 'Commit', 'Finish']);
    });
  }

  it('gives each step of the level a function of its own when Level ends without an answer', async () => {
    const died = Object.assign(new Error('signal: killed'), { name: 'Runtime.OutOfMemory' });
    const { result, calls } = await play({ Level: failing(1, died, STEPS['Level'] as StateHandler) });
    assert.equal(result.status, 'SUCCEEDED');
    assert.deepEqual(statesOf(calls).slice(0, 5), ['Open', 'Level', 'PlanStage', 'Stage', 'Stage']);
    assert.equal(statesOf(calls).filter((state) => state === 'Level').length, 2);
  });

  it('asks whether a run may be published, and ends here where somebody has to decide', async () => {
    const done = async (state: RunState): Promise<JsonValue> => ({ ...state, level: 2, left: 'nothing' });
    const pass = async (state: RunState): Promise<JsonValue> => state;
    const through = await play({ Level: done, Gate: pass, AwaitDecision: pass }, { definition: gated });
    assert.deepEqual(statesOf(through.calls), ['Open', 'Level', 'Gate', 'Commit', 'Finish']);
    const awaiting = { run_id: 'r-1', seconds: 60 };
    const entered: string[] = [];
    const waits = await play(
      { Level: done, Gate: async (state) => ({ ...state, awaiting }), AwaitDecision: async () => 'unheard' },
      { definition: gated, onEntered: (state) => entered.push(state) },
    );
    assert.deepEqual(statesOf(waits.calls), ['Open', 'Level', 'Gate', 'AwaitDecision']);
    // No token is asked for here, and what the function answers counts for nothing.
    const state = { ...PLANNED, level: 2, left: 'nothing', awaiting };
    assert.deepEqual(waits.calls.at(-1)?.input, { state });
    assert.deepEqual(waits.result, { status: 'SUCCEEDED', output: state });
    assert.deepEqual(entered.slice(-4), ['MoreLevels', 'Gate', 'IsApproved', 'AwaitDecision']);
    const gone = Object.assign(new Error('no such function'), { name: 'Lambda.ResourceNotFoundException' });
    const taken = await play({ Level: done, Gate: failing(1, gone), AwaitDecision: pass }, { definition: gated });
    assert.deepEqual(statesOf(taken.calls), ['Open', 'Level', 'Gate', 'Commit', 'Finish']);
    const rejected = await play(
      { Level: done, Gate: failing(1, new AuditFailed('rejected')), AwaitDecision: pass },
      { definition: gated },
    );
    assert.deepEqual(statesOf(rejected.calls), ['Open', 'Level', 'Gate', ...FAILING]);
  });

  it('waits for a run before it that has to be decided about, if it may wait, and opens what it was started for', async () => {
    const blocked = (request: JsonValue) => ({ ...PLANNED, status: 'awaiting', request, awaited: { run_id: 'r-0' } });
    const patient = { ...INPUT, wait: true };
    let asked = 0;
    const entered: string[] = [];
    const { result, calls } = await play(
      {
        Open: async () => {
          asked += 1;
          return asked < 3 ? blocked(patient) : { ...PLANNED, request: patient };
        },
      },
      { input: patient, onEntered: (state) => entered.push(state) },
    );
    assert.equal(result.status, 'SUCCEEDED');
    const way = ['Open', 'IsThereWork', 'IsDecisionAwaited', 'WaitForDecision', 'OpenRequested'];
    assert.deepEqual(entered.slice(0, 11), [...way, ...way, 'Open']);
    assert.deepEqual(calls[1]?.input['state'], patient);
    const other = await play({ Open: async () => blocked(INPUT) });
    assert.deepEqual([statesOf(other.calls), other.result.status], [['Open'], 'SUCCEEDED']);
  });

  it('begins no map over an empty list, also of a level that is planned apart', async () => {
    const died = Object.assign(new Error('signal: killed'), { name: 'Lambda.Unknown' });
    const entered: string[] = [];
    const empty = async (state: RunState): Promise<JsonValue> => ({ ...state, stage: { units_key: 'none', count: 0 } });
    const { result } = await play(
      {
        Level: failing(2, died),
        PlanStage: empty,
        PlanMerge: async (state) => ({ ...state, merge: { units_key: 'none', count: 0 } }),
      },
      { onEntered: (state) => entered.push(state) },
    );
    assert.equal(result.status, 'SUCCEEDED');
    assert.deepEqual(
      entered.filter((state) => state.endsWith('Map')),
      [],
    );
    assert.ok(entered.includes('IsThereToStage') && entered.includes('IsThereToMerge'));
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
      const { result, calls } = await play({ Open: async () => ({ ...PLANNED, status, level: 0, levels: 0 }) });
      assert.deepEqual(statesOf(calls), ['Open']);
      assert.equal(result.status, 'SUCCEEDED');
    });
  }

  it('tells Open which execution asks, and ends behind the one that waits', async () => {
    const behind = { execution: 'arn:e', run_id: 'r-0' };
    const { result, calls } = await play(
      { Open: async () => ({ ...PLANNED, status: 'coalesced', levels: 0, behind }) },
      { input: { ...INPUT, wait: true }, execution: { Id: 'arn:own', Name: 'r-1' } },
    );
    assert.deepEqual(statesOf(calls), ['Open']);
    assert.deepEqual(calls[0]?.input['state'], { ...INPUT, wait: true });
    assert.match(JSON.stringify(calls[0]?.input['execution']), /"Id":"arn:own"/);
    assert.equal(result.status, 'SUCCEEDED');
    assert.deepEqual(result.status === 'SUCCEEDED' && (result.output as { behind?: JsonValue }).behind, behind);
  });

  for (const worker of ['Stage', 'Merge']) {
    it(`ends FAILED through one call of Fail when a unit of ${worker} fails`, async () => {
      const { result, calls } = await play({ [worker]: () => Promise.reject(new AuditFailed('bad unit')) });
      assert.equal(
        calls.filter(({ state }) => state === worker).length,
        1,
        'a unit is not retried, the rest not begun',
      );
      assert.deepEqual(statesOf(calls).slice(-4), [worker, ...FAILING]);
      assert.equal(result.status, 'FAILED');
      const { state } = inputOf(calls, 'Fail');
      assert.deepEqual(state.run, RUN);
      assert.match(JSON.stringify(state.error), /States\.ExceedToleratedFailureThreshold.*AuditFailed: bad unit/);
    });
  }

  it('hands the input of the execution to Fail when Open fails, and keeps the error as the result', async () => {
    const { result, calls } = await play({ Open: () => Promise.reject(new LockHeld('another run')) });
    assert.deepEqual(statesOf(calls), ['Open', ...FAILING]);
    const state = { ...INPUT, error: { Error: 'LockHeld', Cause: 'another run' } };
    const given = inputOf(calls, 'Fail');
    assert.deepEqual([given.state, given.execution.Name], [state, 'r-1']);
    assert.deepEqual(result, { status: 'FAILED', error: 'RunFailed', cause: 'LockHeld: another run' });
  });

  it('keeps the first error when Fail fails too', async () => {
    const { result } = await play({
      Commit: () => Promise.reject(new AuditFailed('first')),
      Fail: () => Promise.reject(new AuditFailed('second')),
    });
    assert.deepEqual(result, { status: 'FAILED', error: 'RunFailed', cause: 'AuditFailed: first' });
  });

  it('alerts even when Fail fails, and ends FAILED even when the alert fails', async () => {
    const broken = (): Promise<never> => Promise.reject(new AuditFailed('second'));
    const { result, calls } = await play({
      Commit: () => Promise.reject(new AuditFailed('first')),
      Fail: broken,
      Notify: broken,
    });
    assert.deepEqual(statesOf(calls).slice(-3), FAILING);
    assert.deepEqual(result, { status: 'FAILED', error: 'RunFailed', cause: 'AuditFailed: first' });
  });

  it('opens the run anew, under another run_id, when an execution that ended FAILED is redriven', async () => {
    const ended = await play({ Commit: () => Promise.reject(new AuditFailed('first')) });
    const { state } = inputOf(ended.calls, 'RunFailed');
    // Step Functions enters the state that failed once more, with the same input.
    const redriven = { input: state as unknown as JsonValue, execution: { Name: 'r-1', RedriveCount: 1 } };
    const { result, calls } = await play({}, { ...redriven, startAt: 'RunFailed' });
    assert.equal(result.status, 'SUCCEEDED');
    assert.equal(calls[1]?.state, 'Open');
    assert.deepEqual(calls[1]?.input['state'], { ...INPUT, run_id: 'r-1-r1' });
    const again = await play(
      { Fail: async () => ({ redrives: 1 }), Open: () => Promise.reject(new AuditFailed('x')) },
      { ...redriven, startAt: 'RunFailed' },
    );
    assert.deepEqual(again.result, { status: 'FAILED', error: 'RunFailed', cause: 'AuditFailed: x' });
  });

  it('waits for the lock when it was started with wait, and goes on when it is free', async () => {
    const open = failing(3, new LockHeld('another run'), async () => PLANNED);
    const { result, calls } = await play({ Open: open }, { input: { ...INPUT, wait: true } });
    assert.equal(result.status, 'SUCCEEDED');
    assert.equal(statesOf(calls).filter((state) => state === 'Open').length, 4);
    assert.ok(!statesOf(calls).includes('Fail'));
  });

  it('finishes an unfinished run first, and then opens the one that was asked for', async () => {
    let opened = 0;
    const { result, calls } = await play({
      Open: async () => {
        opened += 1;
        return opened === 1 ? { ...PLANNED, run: { ...RUN, run_id: 'r-0' } } : { ...PLANNED, status: 'nothing' };
      },
    });
    assert.equal(result.status, 'SUCCEEDED');
    assert.deepEqual(statesOf(calls).slice(-2), ['Finish', 'Open']);
    assert.deepEqual(calls.at(-1)?.input['state'], INPUT);
  });

  const due = { request: { operations: ['compact'] }, why: [] };
  const maintained = async (state: RunState): Promise<JsonValue> => ({ ...state, maintenance: due });

  it('serves what is published, where the pipeline serves and the run does', async () => {
    const done = async (state: RunState): Promise<JsonValue> => ({ ...state, level: 2, left: 'nothing' });
    const Open = async (): Promise<JsonValue> => ({ ...PLANNED, serves: true });
    const { result, calls } = await play({ Open, Level: done }, { definition: serving });
    assert.equal(result.status, 'SUCCEEDED');
    assert.deepEqual(statesOf(calls), ['Open', 'Level', 'Commit', 'Serve', 'Finish']);
    for (const asked of [{ definition: serving }, {}]) {
      const other = await play({ Level: done, ...(asked.definition === undefined ? { Open } : {}) }, asked);
      assert.deepEqual(statesOf(other.calls), ['Open', 'Level', 'Commit', 'Finish']);
    }
  });

  it('ends a run that could not be served, and then fails with the reason, after maintenance that is due', async () => {
    const Open = async (): Promise<JsonValue> => ({ ...PLANNED, serves: true });
    const Finish = async ({ serve_error: error = null, ...state }: RunState): Promise<JsonValue> => ({
      ...state,
      unserved: true,
      error,
    });
    const Serve = failing(1, new AuditFailed('no'));
    for (const Commit of [STEPS['Commit'], maintained]) {
      const steps = { Open, Serve: failing(1, new AuditFailed('no')), Finish, ...(Commit && { Commit }) };
      const { result, calls } = await play(steps, { definition: serving });
      assert.deepEqual(result, { status: 'FAILED', error: 'RunFailed', cause: 'AuditFailed: no' });
      const due = Commit === maintained ? ['MaintainAfter'] : [];
      assert.deepEqual(statesOf(calls).slice(-4 - due.length), ['Serve', 'Finish', ...due, 'Notify', 'RunFailed']);
      assert.equal(inputOf(calls, 'Notify').state.unserved, true);
    }
    // A resumed run is served with the one that was asked for, which Finish leaves to it.
    const resumed = await play({ Open, Serve }, { definition: serving });
    assert.equal(resumed.result.status, 'SUCCEEDED');
    const retried = await play({ Open, Serve: failing(2, new Unavailable('away')) }, { definition: serving });
    assert.deepEqual(statesOf(retried.calls).slice(-4), ['Serve', 'Serve', 'Serve', 'Finish']);
  });

  it('starts maintenance that is due, and succeeds whatever becomes of that', async () => {
    const { result, calls } = await play({ Commit: maintained });
    assert.equal(result.status, 'SUCCEEDED');
    assert.deepEqual(statesOf(calls).slice(-3), ['Commit', 'Finish', 'MaintainAfter']);
    assert.deepEqual(calls.at(-1)?.input['maintenance'], due);
    const refused = await play({
      Commit: maintained,
      MaintainAfter: () => Promise.reject(new AuditFailed('may not')),
    });
    assert.equal(refused.result.status, 'SUCCEEDED');
    assert.match(JSON.stringify(refused.result), /"maintenance_error":\{"Error":"AuditFailed","Cause":"may not"/);
    assert.equal(statesOf(refused.calls).at(-1), 'MaintainAfter');
  });

  it('starts what is due after a resumed run, and then opens the one that was asked for', async () => {
    let opened = 0;
    const { calls } = await play({
      Open: async () => {
        opened += 1;
        return opened === 1 ? { ...PLANNED, run: { ...RUN, run_id: 'r-0' } } : { ...PLANNED, status: 'nothing' };
      },
      Commit: maintained,
    });
    assert.deepEqual(statesOf(calls).slice(-3), ['Finish', 'MaintainAfter', 'Open']);
  });

  it('opens the run that was asked for when a resumed one was undone, after an alert', async () => {
    let opened = 0;
    const { result, calls } = await play({
      Open: async () => {
        opened += 1;
        return opened === 1 ? { ...PLANNED, run: { ...RUN, run_id: 'r-0' } } : PLANNED;
      },
      Commit: failing(1, new AuditFailed('old')),
      Fail: async () => ({ run_id: 'r-0', redrives: 0, go_on: true }),
    });
    assert.equal(result.status, 'SUCCEEDED');
    const states = statesOf(calls);
    assert.deepEqual(states.slice(states.indexOf('Fail'), states.indexOf('Fail') + 3), ['Fail', 'Notify', 'Open']);
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
    assert.deepEqual(lasting.result, { status: 'FAILED', error: 'RunFailed', cause: 'Unavailable: gone' });
    const other = await play({ Audit: failing(1, new AuditFailed('no')) });
    assert.deepEqual(statesOf(other.calls).slice(-4), ['Audit', ...FAILING]);
    assert.equal(statesOf(other.calls).filter((state) => state === 'Audit').length, 1);
  });

  it('retries one unit of a worker and goes on', async () => {
    const { result, calls } = await play({ Stage: failing(2, new Unavailable('x'), async () => null) });
    assert.equal(calls.filter(({ state }) => state === 'Stage').length, 5);
    assert.equal(result.status, 'SUCCEEDED');
  });
});
