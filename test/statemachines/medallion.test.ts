import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { StateMachine } from 'aws-local-stepfunctions';
import type { State, TaskState } from '../../lib/asl/definition.ts';
import { functionOf, loadStateMachine } from '../../lib/asl/load.ts';
import * as errors from '../../lib/core/errors.ts';

/** Codes of Step Functions and of its Lambda integration that a Retry or Catch may name. */
const SERVICE_CODES = [
  'States.ALL',
  'States.Timeout',
  'Lambda.Unknown',
  'Lambda.ClientExecutionTimeoutException',
  'Runtime.ExitError',
  'Runtime.OutOfMemory',
  'Sandbox.Timedout',
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.TooManyRequestsException',
];
/** A deploy has taken the function away of a pipeline that decides no more; nothing else is done otherwise then. */
const GONE = 'Lambda.ResourceNotFoundException';

const classes = Object.values(errors)
  .filter((value) => typeof value === 'function' && value.prototype instanceof errors.StrataError)
  .map((value) => new (value as new (message: string) => errors.StrataError)('example'));

for (const file of ['medallion.asl.json', 'maintenance.asl.json']) {
  const text = readFileSync(new URL(`../../statemachines/${file}`, import.meta.url), 'utf8');
  const machine = loadStateMachine(text, file);
  const allStates: readonly (readonly [string, State])[] = Object.entries(machine.States).flatMap(([name, state]) =>
    state.Type === 'Map' ? [[name, state], ...Object.entries(state.ItemProcessor.States)] : [[name, state]],
  );
  const tasks = allStates.filter((entry): entry is [string, TaskState] => entry[1].Type === 'Task');

  describe(`${file}: the errors it names`, () => {
    it('knows the classes', () => {
      assert.ok(classes.length >= 9 && classes.some(({ retryable }) => retryable));
      for (const error of classes) assert.equal(error.name, error.constructor.name);
    });

    it('has only classes of ours and codes of the services in every ErrorEquals', () => {
      const known = [...SERVICE_CODES, GONE, ...classes.map(({ name }) => name)];
      const named = [...text.matchAll(/"ErrorEquals":\s*\[([^\]]*)\]/g)].flatMap(([, list]) =>
        [...(list ?? '').matchAll(/"([^"]+)"/g)].map(([, name]) => name ?? ''),
      );
      assert.ok(named.length > 0);
      assert.deepEqual(
        named.filter((name) => !known.includes(name)),
        [],
      );
    });

    for (const [name, { Retry, Catch = [] }] of tasks) {
      it(`retries in ${name} exactly those of our classes that are retryable, and what passes at Lambda`, () => {
        const retried = (Retry ?? []).flatMap(({ ErrorEquals }) => ErrorEquals);
        for (const error of classes) assert.equal(retried.includes(error.name), error.retryable, error.name);
        const codes = retried.filter((code) => SERVICE_CODES.includes(code));
        // What Level catches is what its steps retry, each in a function of its own.
        const caught = Catch.flatMap(({ ErrorEquals }) => ErrorEquals).filter((code) => SERVICE_CODES.includes(code));
        assert.deepEqual([...new Set([...codes, ...caught, 'States.ALL'])].sort(), [...SERVICE_CODES].sort());
        assert.equal(retried.length, new Set(retried).size);
        for (const retrier of Retry ?? []) assert.equal(retrier.JitterStrategy, 'FULL');
      });
    }
  });

  describe(`${file}: its way through AWS`, () => {
    it('leads every error of a task or map to Fail, Notify and RunFailed, which alone may throw', () => {
      const behind: Readonly<Record<string, object | undefined>> = {
        Fail: { ErrorEquals: ['States.ALL'], ResultPath: '$.fail_error', Next: 'Notify' },
        Notify: { ErrorEquals: ['States.ALL'], ResultPath: '$.notify_error', Next: 'AfterFail' },
        RunFailed: undefined,
        // The run has succeeded, as has one that could not be served.
        Serve: { ErrorEquals: ['States.ALL'], ResultPath: '$.serve_error', Next: 'Finish' },
        // Nobody undoes what only waits.
        AwaitDecision: {
          Comment: 'The run stays as it is: who decides starts another execution for it',
          ErrorEquals: ['States.ALL'],
          ResultPath: '$.error',
          Next: 'Notify',
        },
        MaintainAfter: { ErrorEquals: ['States.ALL'], ResultPath: '$.maintenance_error', Next: 'IsRunAskedFor' },
      };
      for (const [name, state] of Object.entries(machine.States)) {
        if (state.Type !== 'Task' && state.Type !== 'Map') continue;
        const toFail = { ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Fail' };
        assert.deepEqual(state.Catch?.at(-1), name in behind ? behind[name] : toFail, name);
      }
      assert.deepEqual(machine.States['Fail']?.Type === 'Task' && machine.States['Fail'].Next, 'Notify');
      assert.equal(machine.States['AfterFail']?.Type === 'Choice' && machine.States['AfterFail'].Default, 'RunFailed');
    });

    it('names one function for each task, by the name of its state', () => {
      assert.deepEqual(
        tasks.map(([, task]) => functionOf(task)),
        tasks.map(([name]) => `\${${name}FunctionArn}`),
      );
    });

    it('has placeholders inside strings only, and no other use of ${', () => {
      const inText = text.match(/\$\{/g)?.length ?? 0;
      const inStrings = stringsOf(JSON.parse(text)).flatMap((value) => value.match(/\$\{[A-Z][A-Za-z]*\}/g) ?? []);
      assert.equal(inStrings.length, inText);
      assert.deepEqual(
        [...new Set(inStrings)].sort(),
        [...tasks.map(([, task]) => functionOf(task)), '${OpsBucket}'].sort(),
      );
    });

    it('is valid for a validator that is not ours once the placeholders are filled in', () => {
      const filled = text
        .replaceAll(/\$\{(\w+)FunctionArn\}/g, 'arn:aws:lambda:eu-central-1:123456789012:function:$1')
        .replaceAll('${OpsBucket}', 'ops-bucket');
      assert.doesNotThrow(() => new StateMachine(JSON.parse(filled)));
      assert.throws(() => new StateMachine(JSON.parse(filled.replace('"Next": "Notify"', '"Next": "Nowhere"'))));
    });
  });
}

function stringsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsOf) : [];
}
