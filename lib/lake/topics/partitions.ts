import type { TopicReader, TopicSlice } from '../../ports.ts';
import { claimKey, readClaim } from './claims.ts';
import { createBuffer, type LineBuffer } from './line-buffer.ts';
import {
  claimAndLand,
  type LandedRange,
  linesOf,
  type OpenPartition,
  openPartition,
  type PartitionPlace,
} from './partition.ts';
import type { ConsumeDeps, ConsumeSettings, ConsumeTopic } from './settings.ts';

/** The partitions of a topic that one consumer reads, or leaves to another. */
export type Partitions = {
  /** Opens those that are not open, of the topic as it is now. */
  openAll(topic: Awaited<ReturnType<TopicReader['describe']>>): Promise<void>;
  /** Takes those again that another no longer lands; answers whether there were any. */
  reopen(): Promise<boolean>;
  /** Where those are to be read on that are not another's. */
  positions(): ReadonlyMap<number, bigint>;
  /** Answers whether there was a record. */
  take(slice: TopicSlice): boolean;
  /** Lands what is full or old enough, or all. */
  land(all: boolean): Promise<void>;
  /** Whether one is another's, so far as is known. */
  isOvertaken(): boolean;
  /** The offset that comes next, by partition. */
  next(): readonly string[];
  /** Forgets what was read and not landed. */
  clear(): void;
};

/** All partitions together; more is landed before its time. */
const MOST_HELD = 128 * 2 ** 20;

type Partition = {
  open: OpenPartition;
  readonly buffer: LineBuffer;
  /** When another was quicker, and from which offset on he landed. */
  overtaken: { readonly at: number; readonly first: bigint | undefined } | undefined;
};

export function createPartitions(
  deps: ConsumeDeps,
  topic: ConsumeTopic,
  settings: ConsumeSettings,
  onLanded: (landed: LandedRange) => void,
): Partitions {
  const partitions = new Map<number, Partition>();
  const now = (): number => deps.clock.now().getTime();
  const claimed = async ({ place }: OpenPartition): Promise<bigint | undefined> =>
    (await readClaim(deps.store, claimKey(place.pipeline, place.source, place.topic, place.partition)))?.claim.first;

  async function openOne(place: PartitionPlace, all: boolean): Promise<void> {
    const { landed, ...open } = await openPartition(deps, place, { all, skipLost: settings.skipLost });
    landed.forEach(onLanded);
    partitions.set(place.partition, { open, buffer: createBuffer(settings), overtaken: undefined });
  }

  async function landOf(partition: Partition, whole: boolean): Promise<void> {
    while (partition.overtaken === undefined) {
      const cut = partition.buffer.cut(now(), whole);
      if (cut === undefined) return;
      const done = await claimAndLand(deps, partition.open, cut);
      if (done === 'overtaken') {
        partition.overtaken = { at: now(), first: await claimed(partition.open) };
        partition.buffer.clear();
        return;
      }
      partition.open = done.open;
      if (done.landed !== undefined) onLanded(done.landed);
    }
  }

  let all = settings.all;
  return {
    async openAll({ id, partitions: count }) {
      for (let partition = 0; partition < count; partition += 1) {
        const known = partitions.get(partition);
        if (known?.open.place.topicId !== id) await openOne({ ...topic, topicId: id, partition }, all);
      }
      all = false;
    },
    async reopen() {
      let any = false;
      for (const partition of [...partitions.values()]) {
        const { open, overtaken } = partition;
        if (overtaken === undefined || now() - overtaken.at < 2 * settings.ageMs) continue;
        const first = await claimed(open);
        if (first === overtaken.first) await openOne(open.place, false);
        else partition.overtaken = { at: now(), first };
        any = true;
      }
      return any;
    },
    positions() {
      const free = [...partitions].filter(([, { overtaken }]) => overtaken === undefined);
      return new Map(free.map(([number, { open, buffer }]) => [number, buffer.next ?? open.next]));
    },
    take(slice) {
      const partition = partitions.get(slice.partition);
      if (partition === undefined) return false;
      const lines = linesOf(partition.open.place, slice);
      partition.buffer.add(lines, slice.records, slice.next, now());
      return lines.length > 0;
    },
    async land(whole) {
      const held = [...partitions.values()].reduce((bytes, { buffer }) => bytes + buffer.bytes, 0);
      const each = [...partitions.values()].map((partition) => landOf(partition, whole || held > MOST_HELD));
      await Promise.all(each);
    },
    isOvertaken: () => [...partitions.values()].some(({ overtaken }) => overtaken !== undefined),
    next: () => [...partitions].sort(([a], [b]) => a - b).map(([, { open }]) => String(open.next)),
    clear: () => partitions.clear(),
  };
}
