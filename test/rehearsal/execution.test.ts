import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonValue } from '../../lib/ports.ts';
import type { StateMachineResult } from '../../lib/runtime/state-machine.ts';
import { createCallbacks, machineOfToken } from './callbacks.ts';
import type { LambdaAnswer } from './environment.ts';
import { runExecution } from './execution.ts';
import type { LambdaFunction } from './function.ts';

const retry = [{ ErrorEquals: ['Runtime.ExitError'], IntervalSeconds: 1, MaxAttempts: 1 }];

const DEFINITION = JSON.stringify({
  StartAt: 'Plan',
  States: {
    Plan: {
      Type: 'Task',
      Resource: 'arn:plan',
      Next: 'Units',
      Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Fail' }],
    },
    Units: {
      Type: 'Map',
      ItemReader: {
        Resource: 'arn:aws:states:::s3:getObject',
        ReaderConfig: { InputType: 'JSON' },
        Parameters: { Bucket: 'ops', 'Key.$': '$.key' },
      },
      ItemSelector: { 'unit.$': '$$.Map.Item.Value' },
      ItemProcessor: {
        ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
        StartAt: 'Work',
        States: { Work: { Type: 'Task', Resource: 'arn:work', Retry: retry, End: true } },
      },
      ResultPath: null,
      End: true,
    },
    Fail: {
      Type: 'Task',
      Resource: 'arn:fail',
      Parameters: { 'state.$': '$', 'execution.$': '$$.Execution' },
      End: true,
    },
  },
});

const functions = ['plan', 'work', 'fail'].map((name): [string, LambdaFunction] => [
  `arn:${name}`,
  {
    name,
    handler: 'x.y',
    taskRoot: '/',
    variables: {},
    timeoutSeconds: 1,
    tmpMb: 512,
    memoryMb: 1,
    reservedConcurrency: null,
  },
]);

type Call = readonly [string, JsonValue];

async function run(
  respond: (name: string, input: JsonValue, attempt: number) => LambdaAnswer,
  byArn = new Map(functions),
): Promise<{ result: StateMachineResult; calls: readonly Call[] }> {
  const calls: Call[] = [];
  const result = await runExecution({
    definition: DEFINITION,
    functionsByArn: byArn,
    invoke: async ({ name }, input) => {
      calls.push([name, input]);
      return respond(name, input, calls.filter(([one]) => one === name).length);
    },
    readItems: async (bucket, key) => [`${bucket}/${key}`, 'second'],
    input: { key: 'units.json' },
    execution: { Id: 'arn:e', Name: 'e', Input: { key: 'units.json' }, RedriveCount: 2 },
    intervalMs: 0,
    callbacks: createCallbacks(),
    machineArn: 'arn:machine',
  });
  return { result, calls };
}

const WAITING = JSON.stringify({
  StartAt: 'Await',
  States: {
    Await: {
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
      TimeoutSecondsPath: '$.seconds',
      Parameters: { FunctionName: 'arn:plan', Payload: { 'state.$': '$', 'token.$': '$$.Task.Token' } },
      ResultPath: null,
      Retry: retry,
      Catch: [{ ErrorEquals: ['States.Timeout'], ResultPath: '$.late', Next: 'Late' }],
      Next: 'Done',
    },
    Late: { Type: 'Task', Resource: 'arn:fail', ResultPath: null, End: true },
    Done: { Type: 'Succeed' },
  },
});

type Told = { readonly state: JsonValue; readonly token: string };

/** What comes of an execution whose function does `act` with its token; `onWait`: once the function has answered. */
async function waitFor(
  act: (token: string, attempt: number) => LambdaAnswer,
  { onWait, waitMs }: { readonly onWait?: (token: string) => void; readonly waitMs?: number } = {},
  callbacks = createCallbacks(),
): Promise<{
  readonly result: StateMachineResult;
  readonly calls: readonly Call[];
  readonly tokens: readonly string[];
}> {
  const calls: Call[] = [];
  const tokens: string[] = [];
  const result = await runExecution({
    definition: WAITING,
    functionsByArn: new Map(functions),
    invoke: async ({ name }, input) => {
      calls.push([name, input]);
      if (name !== 'plan') return answer(null);
      tokens.push((input as Told).token);
      return act(tokens.at(-1) ?? '', tokens.length);
    },
    readItems: async () => [],
    input: { seconds: 30 },
    execution: { Id: 'arn:e', Name: 'e', Input: null },
    intervalMs: 0,
    callbacks,
    machineArn: 'arn:machine',
    ...(onWait === undefined ? {} : { onWait: async () => onWait(tokens.at(-1) ?? '') }),
    ...(waitMs === undefined ? {} : { waitMs }),
  });
  return { result, calls, tokens };
}

const answer = (value: JsonValue): LambdaAnswer => ({ kind: 'answer', payload: JSON.stringify(value) });
const error = (errorType: string): LambdaAnswer => ({
  kind: 'error',
  error: { errorType, errorMessage: 'm', trace: [] },
});

describe('an execution of the deployed definition', () => {
  it('calls the function that each Resource names, for each item of a map', async () => {
    const { result, calls } = await run((_, input) => answer(input));
    assert.equal(result.status, 'SUCCEEDED');
    assert.deepEqual(calls, [
      ['plan', { key: 'units.json' }],
      ['work', { unit: 'ops/units.json' }],
      ['work', { unit: 'second' }],
    ]);
  });

  it('retries what the definition says, by the name of the error', async () => {
    const { result, calls } = await run((name, input, attempt) =>
      name === 'work' && attempt === 1 ? error('Runtime.ExitError') : answer(input),
    );
    assert.equal(result.status, 'SUCCEEDED');
    assert.equal(calls.length, 4);
  });

  it('passes an error on as Lambda writes it, and the context of the execution', async () => {
    const { calls } = await run((name, input) => (name === 'plan' ? error('AuditFailed') : answer(input)));
    const [, input] = calls.at(-1) ?? [];
    const { state, execution } = input as { state: { error: { Error: string; Cause: string } }; execution: object };
    assert.equal(state.error.Error, 'AuditFailed');
    assert.deepEqual(JSON.parse(state.error.Cause), { errorType: 'AuditFailed', errorMessage: 'm', trace: [] });
    const { StartTime, ...rest } = execution as { StartTime: string };
    assert.match(StartTime, /^\d{4}-/);
    assert.deepEqual(rest, { Id: 'arn:e', Name: 'e', Input: { key: 'units.json' }, RedriveCount: 2 });
  });

  it('refuses a Resource that is no function of the stack', async () => {
    await assert.rejects(
      run(() => answer(null), new Map(functions.slice(0, 2))),
      /Fail calls arn:fail/,
    );
  });
});

describe('a state that waits for a call back', () => {
  it('goes on with its input when somebody calls back with the token that its function was given', async () => {
    const callbacks = createCallbacks();
    const said: unknown[] = [];
    const onWait = (token: string): void => void said.push(callbacks.succeed(token), callbacks.succeed(token));
    const { result, calls, tokens } = await waitFor(() => answer('not this'), { onWait }, callbacks);
    assert.deepEqual(result, { status: 'SUCCEEDED', output: { seconds: 30 } });
    assert.deepEqual(calls, [['plan', { state: { seconds: 30 }, token: tokens[0] }]]);
    assert.equal(machineOfToken(tokens[0] ?? ''), 'arn:machine');
    // Once only.
    assert.deepEqual(said, [undefined, 'TaskDoesNotExist']);
  });

  it('goes on also when that came before its function answered', async () => {
    const callbacks = createCallbacks();
    const act = (token: string): LambdaAnswer => answer(callbacks.succeed(token) ?? 'woken');
    const { result } = await waitFor(act, {}, callbacks);
    assert.equal(result.status, 'SUCCEEDED');
  });

  it('ends with States.Timeout when nobody does, and who comes after that is told so', async () => {
    const callbacks = createCallbacks();
    const { result, calls, tokens } = await waitFor(() => answer(null), { waitMs: 1 }, callbacks);
    assert.equal(result.status, 'SUCCEEDED');
    const [, late] = calls[1] ?? [];
    assert.deepEqual(late, { seconds: 30, late: { Error: 'States.Timeout', Cause: 'nobody called back in 1 ms' } });
    assert.equal(callbacks.succeed(tokens[0] ?? ''), 'TaskTimedOut');
  });

  it('is retried with another token when its function fails', async () => {
    const callbacks = createCallbacks();
    const onWait = (token: string): void => void callbacks.succeed(token);
    const act = (_: string, attempt: number): LambdaAnswer =>
      attempt === 1 ? error('Runtime.ExitError') : answer(null);
    const { result, tokens } = await waitFor(act, { onWait }, callbacks);
    assert.equal(result.status, 'SUCCEEDED');
    assert.equal(new Set(tokens).size, 2);
    assert.equal(callbacks.succeed(tokens[0] ?? ''), 'TaskDoesNotExist');
  });
});
