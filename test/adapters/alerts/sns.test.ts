import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { mockClient } from 'aws-sdk-client-mock';
import { createSnsAlerts } from '../../../lib/adapters/alerts/sns.ts';
import { awsError } from '../../remote/aws-error.ts';

const TOPIC = 'arn:aws:sns:eu-west-1:1:shop-alerts';
const sns = mockClient(SNSClient);
const alerts = createSnsAlerts(new SNSClient({ region: 'eu-west-1' }), TOPIC);

beforeEach(() => sns.reset());

test('an alert is one message of the topic', async () => {
  sns.on(PublishCommand).resolves({});
  await alerts.publish({ subject: 'shop failed', message: 'why' });
  assert.deepEqual(
    sns.commandCalls(PublishCommand).map(({ args }) => args[0].input),
    [{ TopicArn: TOPIC, Subject: 'shop failed', Message: 'why' }],
  );
});

const FAILURES: readonly (readonly [string, Error, string, RegExp])[] = [
  ['throttling', awsError('ThrottledException', 429, 'Rate exceeded'), 'Unavailable', /^sns:Publish on arn.*now/],
  ['throttling of the key', awsError('KMSThrottlingException', 400, 'slow'), 'Unavailable', /^sns:Publish on arn.*now/],
  ['a fault of SNS', awsError('InternalErrorException', 500, 'oops'), 'Unavailable', /^sns:Publish on arn.*now/],
  ['no answer', awsError('TimeoutError', 0, 'timed out'), 'Unavailable', /^sns:Publish on arn.*now/],
  ['no right', awsError('AuthorizationErrorException', 403, 'no'), 'InvalidInput', /Grant sns:Publish on arn/],
  ['no right to the key', awsError('KMSAccessDeniedException', 400, 'no'), 'InvalidInput', /Grant kms:Decrypt/],
  ['no topic', awsError('NotFoundException', 404, 'gone'), 'InvalidInput', /no such topic; deploy the pipeline again/],
  ['expired credentials', awsError('ExpiredTokenException', 403, 'old'), 'InvalidInput', /have expired/],
];

for (const [what, error, name, message] of FAILURES) {
  test(`${what} ends as ${name}`, async () => {
    sns.on(PublishCommand).rejects(error);
    await assert.rejects(alerts.publish({ subject: 's', message: 'm' }), { name, message, cause: error });
  });
}
