import { createHash, randomUUID } from 'node:crypto';
import { matchesPattern } from './event-pattern.ts';
import { ACCOUNT, REGION } from './moto-api.ts';
import { resolve, resolveText, resourcesOf, type Template, type World } from './template.ts';

/** An object that was put into a bucket. */
export type PutObject = {
  readonly bucket: string;
  readonly key: string;
  readonly size: number;
  readonly etag: string;
  readonly versionId?: string;
};

/** Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html */
export function objectCreated({ bucket, key, size, etag, versionId }: PutObject, at: Date): object {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Object Created',
    source: 'aws.s3',
    account: ACCOUNT,
    time: at.toISOString(),
    region: REGION,
    resources: [`arn:aws:s3:::${bucket}`],
    detail: {
      version: '0',
      bucket: { name: bucket },
      object: {
        key,
        size,
        etag: etag.replaceAll('"', ''),
        ...(versionId === undefined ? {} : { 'version-id': versionId }),
        sequencer: '00617F08299329D189',
      },
      'request-id': 'N4N7GDK58NMKJ12R',
      requester: ACCOUNT,
      'source-ip-address': '127.0.0.1',
      reason: 'PutObject',
    },
  };
}

/** Source: https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html */
export function executionEnded(stateMachineArn: string, name: string, status: string, at: Date): object {
  const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Step Functions Execution Status Change',
    source: 'aws.states',
    account: ACCOUNT,
    time: at.toISOString(),
    region: REGION,
    resources: [executionArn],
    detail: {
      executionArn,
      stateMachineArn,
      name,
      status,
      startDate: at.getTime() - 1_000,
      stopDate: at.getTime(),
      input: '{}',
      output: null,
      error: null,
      cause: null,
    },
  };
}

/** What an event reaches, by rule, queue and event source mapping, as the template wires them: names or ARNs. */
export function functionsReached(template: Template, world: World, event: object): readonly string[] {
  const queues = resourcesOf(template, 'AWS::Events::Rule')
    .map(([, rule]) => resolve(rule, world) as { EventPattern: object; State?: string; Targets?: { Arn: string }[] })
    .filter(({ State }) => State !== 'DISABLED')
    .filter(({ EventPattern }) => matchesPattern(EventPattern, event))
    .flatMap(({ Targets = [] }) => Targets.map(({ Arn }) => Arn));
  return queues.flatMap((queue) => {
    const mappings = resourcesOf(template, 'AWS::Lambda::EventSourceMapping').filter(
      ([, { EventSourceArn }]) => resolveText(EventSourceArn, world) === queue,
    );
    // A target that is no queue with a mapping is itself what is reached.
    if (mappings.length === 0) return [queue];
    return mappings.map(([, { FunctionName }]) => resolveText(FunctionName, world));
  });
}

export type QueueMessage = { readonly messageId: string; readonly body: string };

export function messageOf(event: object): QueueMessage {
  return { messageId: randomUUID(), body: JSON.stringify(event) };
}

/** Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-example.html */
export function queueBatch(queueArn: string, messages: readonly QueueMessage[], at: Date): object {
  return {
    Records: messages.map(({ messageId, body }) => ({
      messageId,
      receiptHandle: `receipt-${messageId}`,
      body,
      attributes: {
        ApproximateReceiveCount: '1',
        SentTimestamp: String(at.getTime()),
        SenderId: 'AIDAIENQZJOLO23YVJ4VO',
        ApproximateFirstReceiveTimestamp: String(at.getTime() + 1),
      },
      messageAttributes: {},
      md5OfBody: createHash('md5').update(body).digest('hex'),
      eventSource: 'aws:sqs',
      eventSourceARN: queueArn,
      awsRegion: REGION,
    })),
  };
}

/**
 * Deliveries in which every message comes twice, in different batches and out of order: the last first and alone, then
 * the others, then all of them backwards.
 */
export function twiceOutOfOrder<T>(messages: readonly T[]): readonly (readonly T[])[] {
  const [last, ...others] = messages.toReversed();
  if (last === undefined) return [];
  const backwards = messages.toReversed();
  const middle = Math.ceil(backwards.length / 2);
  return [[last], others, backwards.slice(middle), backwards.slice(0, middle)].filter((batch) => batch.length > 0);
}
