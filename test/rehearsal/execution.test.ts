import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonValue } from '../../lib/ports.ts';
import type { StateMachineResult } from '../../lib/runtime/state-machine.ts';
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
  });
  return { result, calls };
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
