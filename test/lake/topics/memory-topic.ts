import { Unavailable } from '../../../lib/core/errors.ts';
import type { TopicReader, TopicRecord } from '../../../lib/ports.ts';

type Given = Partial<Omit<TopicRecord, 'value'>> & { readonly value?: string | Uint8Array | null };

/** A topic in memory, whose time goes on while one waits for records. */
export type MemoryTopic = {
  id: string;
  readonly clock: { now(): Date };
  /** Milliseconds since the topic was made. */
  time: number;
  readonly partitions: { start: bigint; end: bigint; records: TopicRecord[] }[];
  /** Thrown by the next calls, one after the other. */
  readonly failures: Error[];
  add(partition: number, ...records: readonly Given[]): void;
  /** Offsets that have no record, as marks of transactions have none. */
  skip(partition: number, count: number): void;
  reader(most?: number): TopicReader;
};

const BEGAN = Date.parse('2026-01-01T00:00:00Z');

export function createMemoryTopic(partitions = 1): MemoryTopic {
  const topic: MemoryTopic = {
    id: 'id-1',
    time: 0,
    clock: { now: () => new Date(BEGAN + topic.time) },
    partitions: Array.from({ length: partitions }, () => ({ start: 0n, end: 0n, records: [] })),
    failures: [],
    add(partition, ...records) {
      const into = topic.partitions[partition] ?? { start: 0n, end: 0n, records: [] };
      topic.partitions[partition] = into;
      for (const { value = null, ...rest } of records) {
        const bytes = typeof value === 'string' ? Buffer.from(value) : value;
        into.records.push({
          timestamp: 1_700_000_000_000n,
          key: null,
          headers: [],
          ...rest,
          offset: into.end,
          value: bytes,
        });
        into.end += 1n;
      }
    },
    skip(partition, count) {
      const into = topic.partitions[partition];
      if (into !== undefined) into.end += BigInt(count);
    },
    reader(most = Number.POSITIVE_INFINITY) {
      const fail = (): void => {
        const failure = topic.failures.shift();
        if (failure !== undefined) throw failure;
      };
      return {
        async describe() {
          fail();
          return { id: topic.id, partitions: topic.partitions.length };
        },
        async bounds(partition) {
          fail();
          const { start = 0n, end = 0n } = topic.partitions[partition] ?? {};
          return { start, end };
        },
        async read(from, waitMs) {
          fail();
          const slices = [...from].flatMap(([partition, offset]) => {
            const { start, end, records } = topic.partitions[partition] ?? { start: 0n, end: 0n, records: [] };
            if (offset < start || offset > end) throw new Unavailable('out of range');
            if (offset === end) return [];
            const found = records.filter((one) => one.offset >= offset).slice(0, most);
            const last = found.length < most ? end - 1n : (found.at(-1)?.offset ?? end - 1n);
            return [{ partition, records: found, next: last + 1n }];
          });
          topic.time += slices.length === 0 ? waitMs : 1;
          return slices;
        },
        [Symbol.asyncDispose]: async () => {},
      };
    },
  };
  return topic;
}
