import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ObjectStore } from '../../lib/ports.ts';
import { awsPython } from '../aws/moto-server.ts';
import { callJson, type Moto } from './moto-calls.ts';

type Comparison = { readonly tables: Readonly<Record<string, number>>; readonly differences: readonly string[] };

/** Reads every table through PyIceberg and compares it, row for row, with the laptop's. Answers rows by table. */
export async function compareTables(
  moto: Moto,
  root: string,
  pipeline: string,
): Promise<Readonly<Record<string, number>>> {
  const script = join(import.meta.dirname, 'read_tables.py');
  const { stdout } = await promisify(execFile)(await awsPython(), [script, moto.endpoint, root, pipeline], {
    maxBuffer: 64 * 2 ** 20,
  });
  const { tables, differences } = JSON.parse(stdout) as Comparison;
  assert.deepEqual(differences, []);
  assert.ok(Object.keys(tables).length > 0, 'PyIceberg found no table');
  return tables;
}

/** No run holds anything any more. */
export async function requireUnlocked(store: ObjectStore, pipeline: string): Promise<void> {
  for (const name of ['lock.json', 'open-run.json']) {
    assert.equal(await store.head(`ops/${pipeline}/${name}`), undefined, `${name} was left behind`);
  }
}

export async function countObjects(store: ObjectStore, prefix: string): Promise<number> {
  let count = 0;
  for await (const _ of store.list(prefix)) count += 1;
  return count;
}

/** A queue that hears what a topic says. */
export type Listener = { heard(): Promise<readonly { readonly subject: string; readonly message: string }[]> };

export async function listen(
  moto: Moto,
  topicArn: string,
  subscribe: (queueArn: string) => Promise<unknown>,
): Promise<Listener> {
  const name = `listener-${topicArn.split(':').at(-1)}`;
  const { QueueUrl } = await callJson<{ QueueUrl: string }>(moto, 'sqs', 'AmazonSQS.CreateQueue', { QueueName: name });
  await subscribe(`arn:aws:sqs:${moto.region}:${moto.account}:${name}`);
  type Received = { readonly Messages?: readonly { readonly Body: string }[] };
  return {
    async heard() {
      const request = { QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0 };
      const { Messages = [] } = await callJson<Received>(moto, 'sqs', 'AmazonSQS.ReceiveMessage', request);
      return Messages.map(({ Body }) => {
        const { Subject, Message } = JSON.parse(Body) as { readonly Subject: string; readonly Message: string };
        return { subject: Subject, message: Message };
      });
    },
  };
}
