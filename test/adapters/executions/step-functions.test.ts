import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
import { createHasEnded } from '../../../lib/adapters/executions/has-ended.ts';
import { createStepFunctionsExecutions } from '../../../lib/adapters/executions/step-functions.ts';
import { awsError } from '../../remote/aws-error.ts';

const MACHINE = 'arn:aws:states:eu-west-1:1:stateMachine:strata-shop';
const sfn = mockClient(SFNClient);
const executions = createStepFunctionsExecutions(new SFNClient({ region: 'eu-west-1' }), MACHINE);

beforeEach(() => sfn.reset());

test('an execution is started by its name', async () => {
  sfn.on(StartExecutionCommand).resolves({});
  assert.equal(await executions.start('upload-1', { run_id: 'upload-1' }), 'started');
  assert.deepEqual(
    sfn.commandCalls(StartExecutionCommand).map(({ args }) => args[0].input),
    [{ stateMachineArn: MACHINE, name: 'upload-1', input: '{"run_id":"upload-1"}' }],
  );
});

test('a name that was used before starts nothing', async () => {
  sfn.on(StartExecutionCommand).rejects(awsError('ExecutionAlreadyExists', 400, 'exists'));
  assert.equal(await executions.start('upload-1', {}), 'exists');
});

const FAILURES: readonly (readonly [string, Error, string, RegExp])[] = [
  ['throttling', awsError('ThrottlingException', 400, 'Rate exceeded'), 'Unavailable', /^states:StartExecution on arn/],
  ['a fault of the service', awsError('ServiceUnavailable', 503, 'x'), 'Unavailable', /^states:StartExecution on arn/],
  ['a lost connection', awsError('ECONNRESET', 0, 'reset'), 'Unavailable', /^states:StartExecution on arn/],
  ['a full account', awsError('ExecutionLimitExceeded', 400, 'limit'), 'Unavailable', /too many executions are open/],
  ['no right', awsError('AccessDeniedException', 400, 'no'), 'InvalidInput', /Grant states:StartExecution on arn/],
  ['no state machine', awsError('StateMachineDoesNotExist', 400, 'gone'), 'InvalidInput', /deploy the pipeline again/],
  ['a removed state machine', awsError('StateMachineDeleting', 400, 'gone'), 'InvalidInput', /deploy the pipeline/],
  ['expired credentials', awsError('ExpiredTokenException', 403, 'old'), 'InvalidInput', /have expired/],
];

for (const [what, error, name, message] of FAILURES) {
  test(`${what} ends as ${name}`, async () => {
    sfn.on(StartExecutionCommand).rejects(error);
    await assert.rejects(executions.start('upload-1', {}), { name, message, cause: error });
  });
}

const EXECUTION = 'arn:aws:states:eu-west-1:1:execution:strata-shop:upload-1';
const ENDED: readonly (readonly [string, boolean])[] = [
  ['RUNNING', false],
  ['PENDING_REDRIVE', false],
  ['SUCCEEDED', true],
  ['FAILED', true],
  ['TIMED_OUT', true],
  ['ABORTED', true],
];

for (const [status, ended] of ENDED) {
  test(`an execution that is ${status} has ${ended ? '' : 'not '}ended`, async () => {
    sfn.on(DescribeExecutionCommand, { executionArn: EXECUTION }).resolves({ status: status as 'RUNNING' });
    const hasEnded = createHasEnded(new SFNClient({ region: 'eu-west-1' }), { info: () => {}, warn: () => {} });
    assert.equal(await hasEnded(EXECUTION), ended);
  });
}

test('an execution that is gone has ended; of one that cannot be asked about that is not known, and is said', async () => {
  const warnings: string[] = [];
  const log = { info: () => {}, warn: (_: string, fields?: object) => void warnings.push(JSON.stringify(fields)) };
  const hasEnded = createHasEnded(new SFNClient({ region: 'eu-west-1' }), log);
  sfn.on(DescribeExecutionCommand).rejects(awsError('ExecutionDoesNotExist', 400, 'gone'));
  assert.equal(await hasEnded(EXECUTION), true);
  sfn.on(DescribeExecutionCommand).rejects(awsError('AccessDeniedException', 400, 'no'));
  assert.equal(await hasEnded(EXECUTION), false);
  assert.equal(await hasEnded('upload-1'), false, 'what is no ARN is not asked about');
  assert.deepEqual(warnings, [`{"execution":"${EXECUTION}","error":"AccessDeniedException"}`]);
  assert.equal(sfn.commandCalls(DescribeExecutionCommand).length, 2);
});
