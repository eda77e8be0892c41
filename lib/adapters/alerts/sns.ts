import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import { InvalidInput } from '../../core/errors.ts';
import type { Alerts } from '../../ports.ts';
import { awsFailure, sdkErrorOf } from '../aws/errors.ts';

/**
 * Alerts as messages of an SNS topic. Throws Unavailable for passing faults, InvalidInput for what has to be granted.
 * Source: docs.aws.amazon.com/sns/latest/api/API_Publish.html
 */
export function createSnsAlerts(client: SNSClient, topicArn: string): Alerts {
  return {
    async publish({ subject, message }) {
      try {
        await client.send(new PublishCommand({ TopicArn: topicArn, Subject: subject, Message: message }));
      } catch (cause) {
        if (sdkErrorOf(cause).name === 'NotFoundException') {
          throw new InvalidInput(
            `sns:Publish on ${topicArn} failed: there is no such topic; deploy the pipeline again`,
            [],
            { cause },
          );
        }
        throw awsFailure({ action: 'sns:Publish', resource: topicArn }, cause);
      }
    },
  };
}
