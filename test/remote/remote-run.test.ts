import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { afterEach, describe, test } from 'node:test';
import {
  DescribeExecutionCommand,
  type DescribeExecutionOutput,
  ExecutionAlreadyExists,
  GetExecutionHistoryCommand,
  RedriveExecutionCommand,
  SFNClient,
  StartExecutionCommand,
  StateMachineDoesNotExist,
} from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
import { createMemoryStore } from '../../lib/adapters/store/memory.ts';
import type { StateEvent } from '../../lib/asl/state-event.ts';
import { InvalidInput } from '../../lib/core/errors.ts';
import type { RunResult } from '../../lib/core/run.ts';
import { redriveRemotely } from '../../lib/remote/executions/act.ts';
import { type RemoteRunDeps, runRemotely } from '../../lib/remote/remote-run.ts';
import { awsError } from './aws-error.ts';

const sfn = mockClient(SFNClient);
afterEach(() => sfn.reset());

const MACHINE = 'arn:aws:states:us-east-1:111122223333:stateMachine:strata-shop';
const EXECUTION = 'arn:aws:states:us-east-1:111122223333:execution:strata-shop:r1';
const RUN = { pipeline: 'shop', run_id: 'r1', dry_run: false };
const RESULT = { ...RUN, status: 'SUCCEEDED', steps: [] } as unknown as RunResult;

const waits: number[] = [];

/** A lake on AWS whose ops bucket holds the given results. */
async function openDeps(results: Readonly<Record<string, unknown>> = {}): Promise<RemoteRunDeps> {
  const store = createMemoryStore({ scratch: tmpdir() });
  for (const [folder, result] of Object.entries(results)) {
    const bytes = new TextEncoder().encode(JSON.stringify(result));
    await store.write(`ops/shop/${folder}/result.json`, bytes, { kind: 'any' });
  }
  waits.length = 0;
  return {
    sfn: new SFNClient({ region: 'us-east-1' }),
    store,
    stateMachineArn: MACHINE,
    clock: { now: () => new Date('2026-01-31T12:34:56Z') },
    ids: { unique: () => 'abc123' },
    wait: async (ms) => void waits.push(ms),
  };
}

function ended(status: DescribeExecutionOutput['status'], more: Partial<DescribeExecutionOutput> = {}) {
  const [startDate, stopDate] = [new Date(1_000), new Date(8_000)];
  return { executionArn: EXECUTION, stateMachineArn: MACHINE, status, startDate, stopDate, ...more };
}

function state(status: 'planned' | 'nothing' | 'done', run = RUN): string {
  return JSON.stringify({ status, request: run, run, level: 1, levels: 1 });
}

function startedInput(): unknown {
  const [start] = sfn.commandCalls(StartExecutionCommand);
  return { ...start?.args[0].input, input: JSON.parse(start?.args[0].input.input ?? 'null') as unknown };
}

test('what is asked of a run is in the input of its execution', async () => {
  sfn.on(StartExecutionCommand).resolves({ executionArn: EXECUTION, startDate: new Date(0) });
  sfn.on(DescribeExecutionCommand).resolves(ended('SUCCEEDED', { output: state('planned') }));
  await runRemotely(await openDeps({ '_runs/r1': RESULT }), {
    pipeline: 'shop',
    runId: 'r1',
    vars: { least: '5' },
    run_date: '2026-01-31',
    select: ['a+'],
    shadow: true,
  });
  const { input } = startedInput() as { input: object };
  assert.deepEqual(input, {
    pipeline: 'shop',
    run_id: 'r1',
    dry_run: false,
    wait: true,
    vars: { least: '5' },
    run_date: '2026-01-31',
    select: ['a+'],
    shadow: true,
  });
});

test('a command does not wait for people: it says that the run, or one before it, awaits approval', async () => {
  sfn.on(StartExecutionCommand).resolves({ executionArn: EXECUTION, startDate: new Date(0) });
  sfn.on(DescribeExecutionCommand).resolves(ended('RUNNING'));
  const gate = {
    run_id: 'r1',
    at: '2026-01-31T12:00:00Z',
    expires_at: '2026-02-01T12:00:00Z',
    digest: 'd',
    parts: {},
    conditions: [{ condition: 'a rate', holds: false, found: 'too much' }],
    auto: true,
  };
  const deps = await openDeps();
  const write = (key: string, value: unknown) =>
    deps.store.write(`ops/shop/${key}`, new TextEncoder().encode(JSON.stringify(value)), { kind: 'any' });
  await write('open-run.json', { ...RUN, epoch: 1 });
  await write('_gates/r1/gate.json', gate);
  await write('_runs/r1/plan.json', { run: RUN, created_at: gate.at, spec: {} });
  const awaiting = {
    run_id: 'r1',
    since: gate.at,
    expires_at: gate.expires_at,
    digest: 'd',
    because: ['a rate: too much'],
  };
  const own = await runRemotely(deps, { pipeline: 'shop', runId: 'r1' });
  assert.deepEqual(own, { kind: 'awaiting', pipeline: 'shop', awaiting, own: true });
  const other = await runRemotely(deps, { pipeline: 'shop', runId: 'r2' });
  assert.deepEqual(other, { kind: 'awaiting', pipeline: 'shop', awaiting, own: false });
  // An execution that nobody lets wait ends with the same.
  const output = JSON.stringify({ ...JSON.parse(state('nothing')), status: 'awaiting', awaited: awaiting });
  sfn.on(DescribeExecutionCommand).resolves(ended('SUCCEEDED', { output }));
  assert.deepEqual(await runRemotely(deps, { pipeline: 'shop', runId: 'r3' }), other);
});

test('who may get objects and not list them follows a run all the same', async () => {
  sfn.on(StartExecutionCommand).resolves({ executionArn: EXECUTION, startDate: new Date(0) });
  const done = ended('SUCCEEDED', { output: state('planned') });
  sfn.on(DescribeExecutionCommand).resolvesOnce(ended('RUNNING')).resolves(done);
  const deps = await openDeps({ '_runs/r1': RESULT });
  await deps.store.write('ops/shop/open-run.json', new TextEncoder().encode(JSON.stringify({ ...RUN, epoch: 1 })), {
    kind: 'any',
  });
  const head: typeof deps.store.head = async (key) => {
    const found = await deps.store.head(key);
    if (found === undefined) throw new InvalidInput(`s3:HeadObject on ${key} failed: status 403, without a reason`);
    return found;
  };
  const answer = await runRemotely({ ...deps, store: { ...deps.store, head } }, { pipeline: 'shop', runId: 'r1' });
  assert.deepEqual(answer, { kind: 'ended', result: RESULT, again: false });
});

describe('a run on AWS', () => {
  test('is started by its run_id, followed, and answered with its result', async () => {
    sfn.on(StartExecutionCommand).resolves({ executionArn: EXECUTION, startDate: new Date(0) });
    sfn
      .on(DescribeExecutionCommand)
      .resolvesOnce(ended('RUNNING'))
      .resolvesOnce(ended('RUNNING'))
      .resolves(ended('SUCCEEDED', { output: state('planned') }));
    const started: string[] = [];
    const answer = await runRemotely(await openDeps({ '_runs/r1': RESULT }), {
      pipeline: 'shop',
      runId: 'r1',
      onStarted: (arn) => started.push(arn),
    });
    assert.deepEqual(answer, { kind: 'ended', result: RESULT, again: false });
    assert.deepEqual(startedInput(), { stateMachineArn: MACHINE, name: 'r1', input: { ...RUN, wait: true } });
    assert.deepEqual([started, waits], [[EXECUTION], [1_000, 1_500]]);
    assert.equal(sfn.commandCalls(GetExecutionHistoryCommand).length, 0);
  });

  test('gets a run_id by its time, and carries what is asked for', async () => {
    sfn.on(StartExecutionCommand).resolves({ executionArn: EXECUTION, startDate: new Date(0) });
    sfn.on(DescribeExecutionCommand).resolves(ended('SUCCEEDED', { output: state('nothing') }));
    const reprocess = { source: 'orders', files: ['a.csv'] };
    const answer = await runRemotely(await openDeps(), { pipeline: 'shop', rebuild: 'shop_silver.x', reprocess });
    const run_id = '20260131T123456-abc123';
    assert.deepEqual(answer, {
      kind: 'nothing',
      pipeline: 'shop',
      runId: run_id,
      skipped: { count: 0, names: [] },
      suspended: [],
      removed: [],
    });
    assert.deepEqual(startedInput(), {
      stateMachineArn: MACHINE,
      name: run_id,
      input: { pipeline: 'shop', run_id, dry_run: false, wait: true, rebuild: 'shop_silver.x', reprocess },
    });
  });

  test('of a branch that has nothing to do says why, and one of none which branches it left', async () => {
    sfn.on(StartExecutionCommand).resolves({ executionArn: EXECUTION, startDate: new Date(0) });
    const done = { name: 'monthly', period: '2026-01', why: 'done', run_id: 'r1', finished_at: '2026-01-01T07:01:00Z' };
    const output = JSON.stringify({ ...JSON.parse(state('nothing')), branch_done: done, branches: ['monthly'] });
    sfn.on(DescribeExecutionCommand).resolves(ended('SUCCEEDED', { output }));
    const asked = { pipeline: 'shop', runId: 'r2', branch: 'monthly', period: '2026-01' };
    const answer = await runRemotely(await openDeps(), asked);
    assert.deepEqual(answer.kind === 'nothing' && [answer.branch, answer.branches], [done, ['monthly']]);
    const input = { pipeline: 'shop', run_id: 'r2', dry_run: false, wait: true, branch: 'monthly', period: '2026-01' };
    assert.deepEqual(startedInput(), { stateMachineArn: MACHINE, name: 'r2', input });
  });

  test('whose execution was coalesced names the run that does its work', async () => {
    sfn.on(StartExecutionCommand).resolves({ executionArn: EXECUTION, startDate: new Date(0) });
    const output = JSON.stringify({ ...JSON.parse(state('nothing')), status: 'coalesced', behind: { run_id: 'r9' } });
    sfn.on(DescribeExecutionCommand).resolves(ended('SUCCEEDED', { output }));
    const answer = await runRemotely(await openDeps(), { pipeline: 'shop', runId: 'upload-1' });
    assert.equal(answer.kind, 'locked');
    assert.match(
      answer.kind === 'locked' ? answer.message : '',
      /ended as coalesced: run r9 does what it was started for/,
    );
  });

  test('that is dry uses up neither the run_id nor its name', async () => {
    sfn.on(StartExecutionCommand).resolves({ executionArn: EXECUTION, startDate: new Date(0) });
    const run_id = 'r'.repeat(80);
    const dry = { pipeline: 'shop', run_id, dry_run: true };
    sfn.on(DescribeExecutionCommand).resolves(ended('SUCCEEDED', { output: state('planned', dry) }));
    const result = { ...dry, status: 'DRY_RUN' };
    const deps = await openDeps({ [`_dry_runs/${run_id}`]: result });
    const answer = await runRemotely(deps, { pipeline: 'shop', runId: run_id, dryRun: true });
    assert.deepEqual(answer, { kind: 'ended', result, again: false });
    assert.deepEqual(startedInput(), {
      stateMachineArn: MACHINE,
      name: `${'r'.repeat(69)}-dry-abc123`,
      input: { ...dry, wait: true },
    });
  });

  test('of a run_id that was used before is not started again', async () => {
    sfn.on(StartExecutionCommand).rejects(new ExecutionAlreadyExists({ message: 'r1', $metadata: {} }));
    sfn
      .on(DescribeExecutionCommand, { executionArn: EXECUTION })
      .resolves(ended('SUCCEEDED', { output: state('planned') }));
    const answer = await runRemotely(await openDeps({ '_runs/r1': RESULT }), { pipeline: 'shop', runId: 'r1' });
    assert.deepEqual(answer, { kind: 'ended', result: RESULT, again: true });
  });

  test('that had ended before its execution says so', async () => {
    sfn.on(StartExecutionCommand).resolves({ executionArn: EXECUTION, startDate: new Date(0) });
    sfn.on(DescribeExecutionCommand).resolves(ended('SUCCEEDED', { output: state('done') }));
    const answer = await runRemotely(await openDeps({ '_runs/r1': RESULT }), { pipeline: 'shop', runId: 'r1' });
    assert.equal(answer.kind === 'ended' && answer.again, true);
  });

  test('tells its progress, which may fail without harm', async () => {
    const entered = {
      id: 2,
      type: 'TaskStateEntered',
      timestamp: new Date(0),
      stateEnteredEventDetails: { name: 'Open' },
    } as const;
    sfn.on(StartExecutionCommand).resolves({ executionArn: EXECUTION, startDate: new Date(0) });
    sfn
      .on(DescribeExecutionCommand)
      .resolvesOnce(ended('RUNNING'))
      .resolves(ended('SUCCEEDED', { output: state('nothing') }));
    sfn
      .on(GetExecutionHistoryCommand)
      .rejectsOnce(awsError('AccessDeniedException', 403, 'denied'))
      .resolves({ events: [entered] });
    const told: StateEvent[] = [];
    const answer = await runRemotely(await openDeps(), { pipeline: 'shop', onEvent: (event) => told.push(event) });
    assert.equal(answer.kind, 'nothing');
    assert.deepEqual(told, [{ kind: 'started', state: 'Open' }]);
  });
});

describe('a run on AWS that fails', () => {
  const lambda = (errorMessage: string) => JSON.stringify({ errorType: 'RunFailed', errorMessage, trace: [] });
  const inner = JSON.stringify({ errorType: 'AuditFailed', errorMessage: 'orders: small', trace: ['at x'] });
  const CASES: readonly (readonly [string, Partial<DescribeExecutionOutput>, { name: string; message: string }])[] = [
    [
      'by an error of ours',
      { status: 'FAILED', error: 'RunFailed', cause: lambda('AuditFailed: orders: small') },
      { name: 'AuditFailed', message: 'orders: small' },
    ],
    [
      'by an error that a function reported',
      { status: 'FAILED', error: 'RunFailed', cause: lambda(`AuditFailed: ${inner}`) },
      { name: 'AuditFailed', message: 'orders: small' },
    ],
    [
      'by a worker that died',
      { status: 'FAILED', error: 'RunFailed', cause: lambda('Sandbox.Timedout: after 900 s') },
      { name: 'Sandbox.Timedout', message: 'after 900 s' },
    ],
    [
      'before RunFailed',
      { status: 'FAILED', error: 'States.Runtime', cause: 'no such path' },
      { name: 'States.Runtime', message: 'no such path' },
    ],
    [
      'by a person',
      { status: 'ABORTED', cause: 'by hand' },
      { name: 'States.Aborted', message: `execution ${EXECUTION} was stopped: by hand` },
    ],
    ['by its time', { status: 'TIMED_OUT' }, { name: 'States.Timeout', message: `execution ${EXECUTION} timed out` }],
  ];
  for (const [name, more, error] of CASES) {
    test(name, async () => {
      sfn.on(StartExecutionCommand).resolves({ executionArn: EXECUTION, startDate: new Date(0) });
      sfn.on(DescribeExecutionCommand).resolves(ended('FAILED', more));
      const answer = await runRemotely(await openDeps(), { pipeline: 'shop', runId: 'r1' });
      assert.ok(answer.kind === 'ended');
      const { status, duration_ms } = answer.result;
      assert.deepEqual([status, duration_ms, answer.result.error], ['FAILED', 7_000, error]);
    });
  }

  test('has the result that was recorded', async () => {
    const recorded = { ...RESULT, status: 'FAILED', error: { name: 'AuditFailed', message: 'm' } };
    sfn.on(StartExecutionCommand).resolves({ executionArn: EXECUTION, startDate: new Date(0) });
    sfn.on(DescribeExecutionCommand).resolves(ended('FAILED', { error: 'RunFailed', cause: lambda('AuditFailed: m') }));
    const answer = await runRemotely(await openDeps({ '_runs/r1': recorded }), { pipeline: 'shop', runId: 'r1' });
    assert.deepEqual(answer, { kind: 'ended', result: recorded, again: false });
  });

  test('because another holds the lock is no failure', async () => {
    sfn.on(StartExecutionCommand).resolves({ executionArn: EXECUTION, startDate: new Date(0) });
    sfn
      .on(DescribeExecutionCommand)
      .resolves(ended('FAILED', { error: 'RunFailed', cause: lambda('LockHeld: by r0') }));
    assert.deepEqual(await runRemotely(await openDeps(), { pipeline: 'shop', runId: 'r1' }), {
      kind: 'locked',
      message: 'by r0',
    });
  });
});

describe('AWS that refuses', () => {
  test('a run_id that is none never reaches it', async () => {
    await assert.rejects(runRemotely(await openDeps(), { pipeline: 'shop', runId: 'a b' }), { name: 'InvalidInput' });
    assert.equal(sfn.calls().length, 0);
  });

  const STARTS: readonly (readonly [string, Error, RegExp])[] = [
    [
      'no such state machine',
      new StateMachineDoesNotExist({ message: 'gone', $metadata: {} }),
      /^no state machine arn:.*strata-shop: run npx cdk deploy --all/,
    ],
    ['a missing right', awsError('AccessDeniedException', 403, 'denied'), /states:StartExecution.*strata-shop/],
    ['an expired token', awsError('ExpiredTokenException', 400, 'expired'), /states:StartExecution.*strata-shop/],
  ];
  for (const [name, error, message] of STARTS) {
    test(name, async () => {
      sfn.on(StartExecutionCommand).rejects(error);
      await assert.rejects(runRemotely(await openDeps(), { pipeline: 'shop' }), { name: 'InvalidInput', message });
    });
  }

  test('to be asked a few times is borne, and in the end told', async () => {
    sfn.on(StartExecutionCommand).resolves({ executionArn: EXECUTION, startDate: new Date(0) });
    const busy = awsError('ThrottlingException', 400, 'Rate exceeded');
    sfn
      .on(DescribeExecutionCommand)
      .rejectsOnce(busy)
      .rejectsOnce(busy)
      .resolves(ended('SUCCEEDED', { output: state('nothing') }));
    assert.equal((await runRemotely(await openDeps(), { pipeline: 'shop' })).kind, 'nothing');
    sfn.on(DescribeExecutionCommand).rejects(busy);
    await assert.rejects(runRemotely(await openDeps(), { pipeline: 'shop' }), {
      name: 'Unavailable',
      message: /states:DescribeExecution/,
    });
    assert.equal(waits.length, 4);
  });

  test('a state machine that answers something else is not that of the pipeline', async () => {
    sfn.on(StartExecutionCommand).resolves({ executionArn: EXECUTION, startDate: new Date(0) });
    sfn.on(DescribeExecutionCommand).resolves(ended('SUCCEEDED', { output: '{"hello":1}' }));
    await assert.rejects(runRemotely(await openDeps(), { pipeline: 'shop' }), {
      name: 'InvalidInput',
      message: /did not answer as the state machine of pipeline shop.*--state-machine/,
    });
  });
});

test('a redrive is followed from when Step Functions knows of it', async () => {
  sfn.on(RedriveExecutionCommand).resolves({ redriveDate: new Date(0) });
  const input = JSON.stringify(RUN);
  const before = ended('FAILED', { input, redriveCount: 2 });
  sfn
    .on(DescribeExecutionCommand)
    .resolvesOnce(before)
    .resolvesOnce(before)
    .resolvesOnce(ended('RUNNING', { input, redriveCount: 3 }))
    .resolves(ended('SUCCEEDED', { input, redriveCount: 3, output: state('planned') }));
  const begun: string[] = [];
  const onStarted = (arn: string): void => void begun.push(arn);
  const deps = await openDeps({ '_runs/r1': RESULT });
  const answer = await redriveRemotely(deps, { pipeline: 'shop', name: 'r1', onStarted });
  assert.deepEqual(answer, { kind: 'ended', result: RESULT, again: false });
  assert.deepEqual([begun, waits], [[EXECUTION], [1_000, 1_500]]);
});
