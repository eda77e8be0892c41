import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EndedExecution, errorOfExecution, messageOfCause } from '../../lib/core/execution-failure.ts';

const lambda = (errorMessage: string): string => JSON.stringify({ errorType: 'X', errorMessage, trace: ['at x'] });

const CAUSES: readonly (readonly [string, string, string])[] = [
  ['what Lambda writes', lambda('3 rows'), '3 rows'],
  ['text', 'the worker is gone', 'the worker is gone'],
  ['JSON of another kind', '{"message":"x"}', '{"message":"x"}'],
  ['JSON that is no object', '7', '7'],
  ['JSON with a message that is no text', '{"errorMessage":7}', '{"errorMessage":7}'],
  ['nothing', '', ''],
];

for (const [what, cause, message] of CAUSES) {
  test(`the message in a cause: ${what}`, () => assert.equal(messageOfCause(cause), message));
}

const ENDS: readonly (readonly [string, Omit<EndedExecution, 'arn'>, string, string])[] = [
  [
    'the error of the run, not of the state that ends it',
    { status: 'FAILED', error: 'RunFailed', cause: lambda('AuditFailed: silver.orders: 3 rows') },
    'AuditFailed',
    'silver.orders: 3 rows',
  ],
  [
    'a cause within a cause',
    { status: 'FAILED', error: 'RunFailed', cause: lambda(`AuditFailed: ${lambda('3 rows')}`) },
    'AuditFailed',
    '3 rows',
  ],
  ['another error', { status: 'FAILED', error: 'InvalidInput', cause: lambda('no') }, 'InvalidInput', 'no'],
  ['an error without a name', { status: 'FAILED' }, 'States.Runtime', ''],
  ['a message of no known form', { status: 'FAILED', error: 'RunFailed', cause: 'gone' }, 'RunFailed', 'gone'],
  ['the end of its time', { status: 'TIMED_OUT', cause: null }, 'States.Timeout', 'execution arn:x timed out'],
  ['a stop', { status: 'ABORTED', cause: 'by me' }, 'States.Aborted', 'execution arn:x was stopped: by me'],
];

for (const [what, ended, name, message] of ENDS) {
  test(`an execution ends with ${what}`, () => {
    assert.deepEqual(errorOfExecution({ arn: 'arn:x', ...ended }), { name, message });
  });
}
