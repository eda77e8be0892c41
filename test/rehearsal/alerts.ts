import { SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { callJson, clientSettings } from './moto-api.ts';

export type Alert = { readonly subject: string; readonly message: string };

/** A queue that is subscribed to a topic, so that what is published can be counted. */
export type Inbox = {
  /** Every message since the beginning. */
  received(): Promise<readonly Alert[]>;
};

export async function subscribeInbox(endpoint: string, topicArn: string, name: string): Promise<Inbox> {
  const { QueueUrl } = await callJson(endpoint, 'sqs', 'AmazonSQS.CreateQueue', { QueueName: name });
  const queueArn = `arn:aws:sqs:eu-central-1:123456789012:${name}`;
  const sns = new SNSClient(clientSettings(endpoint));
  await sns.send(new SubscribeCommand({ TopicArn: topicArn, Protocol: 'sqs', Endpoint: queueArn }));
  const alerts: Alert[] = [];
  return {
    async received() {
      for (;;) {
        const input = { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 0 };
        const { Messages = [] } = (await callJson(endpoint, 'sqs', 'AmazonSQS.ReceiveMessage', input)) as {
          Messages?: readonly { Body: string; ReceiptHandle: string }[];
        };
        if (Messages.length === 0) return [...alerts];
        for (const { Body, ReceiptHandle } of Messages) {
          const { Subject, Message } = JSON.parse(Body) as { Subject: string; Message: string };
          alerts.push({ subject: Subject, message: Message });
          await callJson(endpoint, 'sqs', 'AmazonSQS.DeleteMessage', { QueueUrl, ReceiptHandle });
        }
      }
    },
  };
}
