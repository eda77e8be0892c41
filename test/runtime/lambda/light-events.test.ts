import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { InvalidInput } from '../../../lib/core/errors.ts';
import { endedOtherwise, parseAfterError, parseFailure } from '../../../lib/runtime/lambda/light-events.ts';

const run = { pipeline: 'shop', run_id: 'r-1', dry_run: false };
const request = { ...run, wait: true };
const cause = JSON.stringify({ errorType: 'AuditFailed', errorMessage: '3 rows', trace: ['at x'] });
const error = { Error: 'AuditFailed', Cause: cause };
const plain = { Error: 'AuditFailed', Cause: '3 rows' };
const execution = { Id: 'arn:x', Name: 'r-1', RedriveCount: 0 };
const failure = { run_id: 'r-1', redrives: 0, undone: true };

describe('the input of Fail and RunFailed', () => {
  test('is the state of a run and the execution, without what else stands beside them', () => {
    const state = { status: 'planned', run, request, level: 0, levels: 2, error, failure, fail_error: error };
    const context = { ...execution, Input: request, RoleArn: 'arn:r', StartTime: 'now' };
    assert.deepEqual(parseAfterError({ state, execution: context }), {
      state: { status: 'planned', dry_run: false, run, request, error: plain, failure },
      execution,
    });
  });

  test('has what is left of maintenance', () => {
    const maintenance = { operations: ['expire', 'vacuum'], expire: { older_than_ms: 1, keep: 2 } };
    const asked = { ...request, kind: 'maintenance', maintenance };
    const state = { status: 'nothing', run, request: asked, sweep: { left: ['vacuum'] }, error };
    const { state: parsed } = parseAfterError({ state, execution: {} });
    assert.deepEqual([parsed.request, parsed.sweep], [asked, { left: ['vacuum'] }]);
  });

  test('is the input of the execution when Open failed', () => {
    const state = { ...request, rebuild: 'shop_silver.t', error };
    assert.deepEqual(parseAfterError({ state, execution: {} }).state, {
      ...request,
      rebuild: 'shop_silver.t',
      error: plain,
    });
  });

  test('has an empty cause where a timeout gave none', () => {
    const { state } = parseAfterError({ state: { run, error: { Error: 'States.Timeout' } }, execution: {} });
    assert.deepEqual(state.error, { Error: 'States.Timeout', Cause: '' });
  });

  test('names each field that is wrong', () => {
    assert.throws(() => parseAfterError({ state: { run: { ...run, run_id: 7 }, error }, execution: {} }), {
      name: 'InvalidInput',
      message: /state\.run\.run_id: got 7/,
    });
    assert.throws(() => parseAfterError({ run }), InvalidInput);
  });
});

describe('what Notify is told by the state machine', () => {
  const told = (state: object) => parseFailure('shop', { state, execution });

  test('is the state of the run', () => {
    assert.deepEqual(told({ run, request, error, failure }).state, {
      run,
      request,
      error: plain,
      failure,
      pipeline: 'shop',
      run_id: 'r-1',
    });
  });

  const BROKEN: readonly (readonly [string, object])[] = [
    ['nothing', {}],
    ['another type', { pipeline: 7, run_id: ['r'], run: 'r-1', request: [], failure: 'x' }],
    ['fields that are missing', { run: { run_id: 'r-1' }, request: {} }],
  ];
  for (const [what, input] of BROKEN) {
    test(`is told of by the name of its execution when its input is ${what}`, () => {
      const { state } = told({ ...input, error });
      assert.deepEqual([state.pipeline, state.run_id, state.error, state.run], ['shop', 'r-1', plain, undefined]);
    });
  }
});

describe('what Notify is told by EventBridge', () => {
  const detail = {
    executionArn: 'arn:x',
    stateMachineArn: 'arn:m',
    name: 'r-1',
    status: 'TIMED_OUT',
    startDate: 1,
    stopDate: 2,
    input: JSON.stringify(request),
    output: null,
    error: null,
    cause: null,
  };
  const told = (more: object) =>
    parseFailure('shop', {
      source: 'aws.states',
      'detail-type': 'Step Functions Execution Status Change',
      detail: { ...detail, ...more },
    });

  test('is the request of the execution, and that it timed out', () => {
    assert.deepEqual(told({}), {
      state: { ...request, request, error: { Error: 'States.Timeout', Cause: 'execution arn:x timed out' } },
      execution,
      ended: true,
    });
  });

  const ENDS: readonly (readonly [status: string, machine: string, otherwise: boolean])[] = [
    ['TIMED_OUT', 'arn:m', true],
    ['ABORTED', 'arn:m', true],
    ['FAILED', 'arn:m', false],
    ['FAILED', 'arn:m_maintenance', true],
  ];
  for (const [status, stateMachineArn, otherwise] of ENDS) {
    test(`counts as ended otherwise than by a failed run: ${status} of ${stateMachineArn}, ${otherwise}`, () => {
      const report = { 'detail-type': 'Step Functions Execution Status Change', detail };
      assert.equal(endedOtherwise({ ...report, detail: { ...detail, status, stateMachineArn } }), otherwise);
      assert.equal(endedOtherwise({ state: {}, execution: {} }), false);
    });
  }

  test('is that somebody stopped it, after a redrive', () => {
    const { state, execution: context } = told({ status: 'ABORTED', cause: 'by me', redriveCount: 2 });
    assert.deepEqual(state.error, { Error: 'States.Aborted', Cause: 'execution arn:x was stopped: by me' });
    assert.equal(context.RedriveCount, 2);
  });

  test('is the error of the run, not of the state that ended it', () => {
    const ended = JSON.stringify({ errorType: 'RunFailed', errorMessage: 'LockHeld: r-0 holds it' });
    const { state } = told({ status: 'FAILED', error: 'RunFailed', cause: ended });
    assert.deepEqual(state.error, { Error: 'LockHeld', Cause: 'r-0 holds it' });
  });

  for (const input of [null, undefined, 'no JSON', '{}', '[]', '{"pipeline":7}']) {
    test(`is told of by its name when its input is ${input}`, () => {
      const { state } = told({ input });
      assert.deepEqual([state.pipeline, state.run_id, state.request], ['shop', 'r-1', undefined]);
    });
  }

  test('of an execution that goes on is refused', () => {
    assert.throws(() => told({ status: 'RUNNING' }), InvalidInput);
  });
});
