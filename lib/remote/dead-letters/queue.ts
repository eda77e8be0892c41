import type { AskAws } from '../../core/aws-question.ts';

/** A message that was received: it is seen by nobody else for a while. */
export type Message = {
  readonly id: string;
  readonly body: string;
  readonly sentAt: Date;
  /** Why it could not be delivered, where who delivers says so. */
  readonly reason: string | null;
  readonly receipt: string;
};

/** A queue of SQS, by its URL. */
export type MessageQueue = {
  /** Up to so many messages, each once. */
  receive(most: number): Promise<readonly Message[]>;
  /** Lets others see messages again, at once. */
  release(messages: readonly Message[]): Promise<void>;
  remove(message: Message): Promise<void>;
  send(body: string): Promise<void>;
};

/** Seconds for which a message that was received is seen by nobody else. */
const HIDDEN_S = 120;
/** Messages that SQS gives, or takes, in one call. */
const AT_ONCE = 10;

/** Source: docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html */
export function queueOn(ask: AskAws, QueueUrl: string): MessageQueue {
  const call = async (operation: string, body: object): Promise<unknown> => {
    const target = `AmazonSQS.${operation}`;
    const action = `sqs:${ACTIONS[operation] ?? operation}`;
    const { text } = await ask({
      service: 'sqs',
      action,
      kind: 'json',
      target,
      json: '1.0',
      body: { QueueUrl, ...body },
    });
    return text === '' ? {} : JSON.parse(text);
  };
  return {
    async receive(most) {
      const found = new Map<string, Message>();
      while (found.size < most) {
        const page = (await call('ReceiveMessage', {
          MaxNumberOfMessages: Math.min(AT_ONCE, most - found.size),
          VisibilityTimeout: HIDDEN_S,
          // An answer that has waited has asked all servers.
          WaitTimeSeconds: 1,
          AttributeNames: ['SentTimestamp'],
          MessageAttributeNames: ['All'],
        })) as Page;
        const messages = page.Messages ?? [];
        for (const message of messages) found.set(message.MessageId, messageOf(message));
        if (messages.length === 0) break;
      }
      return [...found.values()];
    },

    async release(messages) {
      for (let at = 0; at < messages.length; at += AT_ONCE) {
        const Entries = messages
          .slice(at, at + AT_ONCE)
          .map(({ receipt }, index) => ({ Id: String(index), ReceiptHandle: receipt, VisibilityTimeout: 0 }));
        await call('ChangeMessageVisibilityBatch', { Entries });
      }
    },

    async remove({ receipt }) {
      await call('DeleteMessage', { ReceiptHandle: receipt });
    },

    async send(body) {
      await call('SendMessage', { MessageBody: body });
    },
  };
}

/** The IAM actions of operations that have none of their own. */
const ACTIONS: Readonly<Record<string, string>> = { ChangeMessageVisibilityBatch: 'ChangeMessageVisibility' };

type Page = { readonly Messages?: readonly ReceivedMessage[] };
type ReceivedMessage = {
  readonly MessageId: string;
  readonly ReceiptHandle: string;
  readonly Body: string;
  readonly Attributes?: { readonly SentTimestamp?: string };
  readonly MessageAttributes?: Readonly<Record<string, { readonly StringValue?: string }>>;
};

function messageOf({ MessageId, ReceiptHandle, Body, Attributes, MessageAttributes }: ReceivedMessage): Message {
  return {
    id: MessageId,
    body: Body,
    sentAt: new Date(Number(Attributes?.SentTimestamp ?? 0)),
    // As EventBridge and its scheduler say it.
    reason: MessageAttributes?.['ERROR_MESSAGE']?.StringValue ?? null,
    receipt: ReceiptHandle,
  };
}
