import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
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
