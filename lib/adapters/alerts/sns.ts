import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import type { Alerts } from '../../ports.ts';
import { awsFailure } from '../aws/errors.ts';

/** Alerts as messages of an SNS topic. Throws Unavailable for passing faults, InvalidInput for what has to be granted. */
export function createSnsAlerts(client: SNSClient, topicArn: string): Alerts {
  return {
    async publish({ subject, message }) {
      try {
        await client.send(new PublishCommand({ TopicArn: topicArn, Subject: subject, Message: message }));
      } catch (cause) {
        throw awsFailure({ action: 'sns:Publish', resource: topicArn }, cause);
      }
    },
  };
}
