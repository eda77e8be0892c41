import type { KeyBound, KeyRanges } from '../core/key-ranges.ts';
import type { KeyShare } from '../core/merge-unit.ts';
import type { PipelineSettings } from '../core/spec.ts';
import { packInOrder } from './pack.ts';

/** A unit of a merge weighs this part of a unit's input, since Parquet grows when it is read. */
const MERGE_SHARE = 1 / 4;

/** Bytes of Parquet that one unit of a merge takes. */
export function mergeBytes({ unitBytes }: Pick<PipelineSettings, 'unitBytes'>): number {
  return unitBytes * MERGE_SHARE;
}

type Weighed = { readonly bytes: number };
type Settings = Pick<PipelineSettings, 'unitBytes'>;

/** Buckets of an exchange, in order, each group a unit. */
export function packExchange<Bucket extends Weighed>(
  buckets: readonly Bucket[],
  settings: Settings,
): readonly (readonly Bucket[])[] {
  return packInOrder(buckets, mergeBytes(settings), ({ bytes }) => bytes);
}

/**
 * Staged files of one partition that are worth rewriting together: small ones, packed to about `fileBytes`. Groups of
 * one file need no merge.
 */
export function packSmallFiles<File extends Weighed & { readonly partition: string }>(
  files: readonly File[],
  fileBytes: number,
): readonly (readonly File[])[] {
  const byPartition = new Map<string, File[]>();
  for (const file of files.filter(({ bytes }) => isSmall(bytes, fileBytes))) {
    const members = byPartition.get(file.partition);
    if (members === undefined) byPartition.set(file.partition, [file]);
    else members.push(file);
  }
  const groups = [...byPartition.values()].flatMap((members) => packInOrder(members, fileBytes, ({ bytes }) => bytes));
  return groups.filter((group) => group.length > 1);
}

/** Files under half of the target are joined. */
export function isSmall(bytes: number, fileBytes: number): boolean {
  return bytes < fileBytes / 2;
}

/** What a keyed merge has to read of one bucket: the keys of its staged events, and its bytes with those of the table. */
export type BucketLoad = Weighed & { readonly bucket: number; readonly events: readonly string[] };

type WeighedShare = KeyShare & Weighed;

/**
 * Shares of a keyed merge, each list a unit: small buckets joined, a large one cut by a second hash of the key. `asLog`: files of
 * events are such as the log has, and say nothing of buckets.
 */
export function packShares(
  loads: readonly BucketLoad[],
  settings: Settings,
  asLog: boolean,
): readonly (readonly KeyShare[])[] {
  const limit = mergeBytes(settings);
  const shares = loads.flatMap((load) => cutBucket(load, limit, asLog));
  return packInOrder(shares, limit, ({ bytes }) => bytes).map(joinWhole);
}

function cutBucket({ bucket, events, bytes }: BucketLoad, limit: number, asLog: boolean): readonly WeighedShare[] {
  const parts = bytes <= 2 * limit ? 1 : Math.ceil(bytes / limit);
  const places = asLog ? { event_buckets: events.map(() => bucket) } : {};
  return [...Array(parts).keys()].map((part) => ({
    buckets: [bucket],
    part,
    parts,
    events,
    ...places,
    bytes: bytes / parts,
  }));
}

/** Whole buckets of a unit are merged by one pass over all of them. */
function joinWhole(shares: readonly WeighedShare[]): readonly KeyShare[] {
  const whole = shares.filter((share) => share.parts === 1);
  const joined: KeyShare = {
    buckets: whole.flatMap((share) => share.buckets),
    part: 0,
    parts: 1,
    // Files of a range that was cut are those of all of its parts.
    events: [...new Set(whole.flatMap((share) => share.events))],
    ...(whole.some((share) => share.event_buckets === undefined)
      ? {}
      : { event_buckets: whole.flatMap((share) => share.event_buckets ?? []) }),
  };
  const parts = shares.filter((share) => share.parts > 1).map(({ bytes: _bytes, ...share }) => share);
  return whole.length === 0 ? parts : [joined, ...parts];
}

/** Ranges of which some are cut, and the numbers that a range of before has in them. Bounds of a cut that lie at an end of their range cut nothing. */
export function cutBounds(
  { column, bounds }: KeyRanges,
  cuts: ReadonlyMap<number, readonly KeyBound[]>,
): { readonly ranges: KeyRanges; readonly of: (range: number) => readonly number[] } {
  const all: KeyBound[] = [];
  const cut: number[] = [];
  const numbers = new Map<number, readonly number[]>();
  for (let range = 0; range <= bounds.length; range += 1) {
    const before = bounds[range - 1];
    const own = (cuts.get(range) ?? []).filter(({ at }) => before === undefined || at !== before.at);
    const first = all.length;
    all.push(...own);
    const last = all.length;
    numbers.set(
      range,
      Array.from({ length: last - first + 1 }, (_, i) => first + i),
    );
    if (last > first) cut.push(...(numbers.get(range) ?? []));
    const next = bounds[range];
    if (next !== undefined) all.push(next);
  }
  return {
    ranges: { column, bounds: all, ...(cut.length === 0 ? {} : { cut }) },
    of: (range) => numbers.get(range) ?? [],
  };
}
