import type { Clock, ObjectStore, TopicReader } from '../../ports.ts';
import type { PartitionPlace } from './partition.ts';

export type ConsumeDeps = {
  readonly store: ObjectStore;
  readonly reader: TopicReader;
  readonly clock: Clock;
  readonly wait: (ms: number) => Promise<unknown>;
};

export type ConsumeSettings = {
  /** A file ends with so many records or bytes of lines, or when its first line is so old. */
  readonly records: number;
  readonly bytes: number;
  readonly ageMs: number;
  /** Ends when nothing has come for so long; left out: never. */
  readonly idleMs?: number;
  /** Ends after so long, with all landed that was read. */
  readonly limitMs?: number;
  /** Looks at all files of the topic first, and not only at the last of each partition. */
  readonly all: boolean;
  readonly skipLost: boolean;
};

/** What is cut. A file's content is held in memory until it is whole. */
export const CUTS = { records: 10_000, bytes: 8 * 2 ** 20, ageMs: 5_000 } as const;
/** On AWS every file costs a run. */
export const AWS_AGE_MS = 60_000;

export type ConsumeTopic = Pick<PartitionPlace, 'pipeline' | 'source' | 'topic'>;
