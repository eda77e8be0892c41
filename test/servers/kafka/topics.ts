import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { Admin, Producer } from '@platformatic/kafka';

/** Makes a topic, or makes it anew. */
export async function makeTopic(broker: string, topic: string, partitions: number): Promise<void> {
  const admin = new Admin({ clientId: 'tests', bootstrapBrokers: [broker] });
  await admin.createTopics({ topics: [topic], partitions, replicas: 1 });
  await admin.close();
}

export async function dropTopic(broker: string, topic: string): Promise<void> {
  const admin = new Admin({ clientId: 'tests', bootstrapBrokers: [broker] });
  await admin.deleteTopics({ topics: [topic] });
  await admin.close();
}

/** Sends so many messages, a batch at a time, spread over the partitions. `between` is awaited before each batch. */
export async function sendNumbers(
  broker: string,
  topic: string,
  { count, batch, partitions }: { readonly count: number; readonly batch: number; readonly partitions: number },
  between: () => Promise<unknown> = async () => undefined,
): Promise<void> {
  const producer = new Producer({ clientId: 'tests', bootstrapBrokers: [broker] });
  for (let first = 0; first < count; first += batch) {
    await between();
    const numbers = Array.from({ length: Math.min(batch, count - first) }, (_, index) => first + index);
    const messages = numbers.map((n) => ({
      ...{ topic, partition: n % partitions, key: Buffer.from(`k${n}`) },
      value: Buffer.from(`{"n":${n},"text":"message ${n}, with a little more in it"}`),
    }));
    await producer.send({ messages, acks: 1 });
  }
  await producer.close();
}

type Line = {
  readonly partition: number;
  readonly offset: number;
  readonly timestamp_ms: number;
  readonly value: string | null;
};

/** The records that have landed, as the brokers' client prints those of a topic, in the order of partitions and offsets. */
export async function landedLines(root: string, topic: string): Promise<readonly string[]> {
  const lines: [number, number, string][] = [];
  for (const file of globSync(join(root, 'bronze/talk/said', topic, '*/*.jsonl.zst'))) {
    const text = zstdDecompressSync(await readFile(file)).toString();
    for (const line of text.split('\n')) {
      if (line === '') continue;
      const { partition, offset, timestamp_ms, value } = JSON.parse(line) as Line;
      const base64 = value === null ? '' : Buffer.from(value).toString('base64');
      lines.push([partition, offset, `${partition} ${offset} ${timestamp_ms} ${base64}`]);
    }
  }
  return lines.sort(([a, c], [b, d]) => a - b || c - d).map(([, , line]) => line);
}

/** Such lines in that order. */
export function inOrder(lines: readonly string[]): readonly string[] {
  const placed = lines.map((line): [number, number, string] => {
    const [partition = 0, offset = 0] = line.split(' ', 2).map(Number);
    return [partition, offset, line];
  });
  return placed.sort(([a, c], [b, d]) => a - b || c - d).map(([, , line]) => line);
}
