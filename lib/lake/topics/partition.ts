import { InvalidInput, Unavailable } from '../../core/errors.ts';
import type { ObjectStore, TopicReader, TopicSlice } from '../../ports.ts';
import { type Claim, claimKey, type FoundClaim, readClaim, writeClaim } from './claims.ts';
import { packLines, renderLine } from './lines.ts';
import { type OffsetRange, offsetAfter, rangeName } from './ranges.ts';

/** A partition of the topic of a source. */
export type PartitionPlace = {
  readonly pipeline: string;
  readonly source: string;
  readonly topic: string;
  /** Of the topic as it is now. */
  readonly topicId: string;
  readonly partition: number;
};

export type PartitionDeps = { readonly store: ObjectStore; readonly reader: TopicReader };

export type OpenOptions = {
  /** Whether all files are looked at, or only the one that was landed last. */
  readonly all: boolean;
  /** Goes on where offsets have gone from the topic before they were landed. */
  readonly skipLost: boolean;
};

/** Where a partition is to be read on, and by which claim that is known. */
export type OpenPartition = {
  readonly place: PartitionPlace;
  readonly next: bigint;
  readonly found: FoundClaim | undefined;
};

export type LandedRange = { readonly key: string; readonly records: number; readonly bytes: number };

/**
 * Finds where a partition is to be read on, and lands the range first whose writer has died. Throws InvalidInput for a topic that was made
 * anew or has shrunk, for offsets that are lost, and for files that leave offsets out.
 */
export async function openPartition(
  deps: PartitionDeps,
  place: PartitionPlace,
  options: OpenOptions,
): Promise<OpenPartition & { readonly landed: readonly LandedRange[] }> {
  const { store, reader } = deps;
  const found = await readClaim(store, keyOfClaim(place));
  if (found !== undefined && found.claim.topicId !== place.topicId) throw madeAnew(place, found.claim);
  const after = await landedUntil(store, place, found?.claim, options.all);
  const bounds = await reader.bounds(place.partition);
  const pending = found !== undefined && isPending(found.claim, after) ? found.claim : undefined;
  const landed = pending === undefined ? [] : await landPending(deps, place, pending, { bounds, options });
  const next = pending === undefined ? after : pending.last + 1n;
  if (next === undefined) return { place, next: bounds.start, found, landed };
  if (bounds.end < next) throw hasShrunk(place, bounds.end, next);
  const open = { place, next, found };
  if (bounds.start <= next) return { ...open, landed };
  if (!options.skipLost) throw areLost(place, next, bounds.start - 1n);
  const skipped = await claimAndLand(deps, open, { last: bounds.start - 1n, lines: [] });
  if (skipped === 'overtaken')
    throw new Unavailable(`partition ${place.partition} of ${place.topic} is landed by another`);
  return { ...skipped.open, landed: [...landed, ...(skipped.landed === undefined ? [] : [skipped.landed])] };
}

type Found = { readonly bounds: Bounds; readonly options: OpenOptions };
type Bounds = Awaited<ReturnType<TopicReader['bounds']>>;

/** Lands a range that was claimed, whose name says all of it, with what the topic still has of it. */
async function landPending(
  deps: PartitionDeps,
  place: PartitionPlace,
  { first, last }: Claim,
  { bounds: { start, end }, options }: Found,
): Promise<readonly LandedRange[]> {
  if (end <= last) throw hasShrunk(place, end, last + 1n);
  if (start > first && !options.skipLost) throw areLost(place, first, start > last ? last : start - 1n);
  const lines = await readRange(deps, place, { first: start > first ? start : first, last });
  const landed = await landRange(deps.store, place, { first, last }, lines);
  return landed === undefined ? [] : [landed];
}

/** The offset after those that have landed, as far as they are looked at. */
async function landedUntil(
  store: ObjectStore,
  place: PartitionPlace,
  claim: Claim | undefined,
  all: boolean,
): Promise<bigint | undefined> {
  if (claim !== undefined && !all) {
    if ((await store.head(prefixOf(place) + rangeName(claim))) !== undefined) return claim.last + 1n;
  }
  return offsetAfter(store, prefixOf(place));
}

/** Without any file, only the first claim can be one whose file is still to come: otherwise someone has removed them all. */
function isPending({ first, start }: Claim, after: bigint | undefined): boolean {
  return after === undefined ? first === start : first === after;
}

/** Lands the lines from where a partition is open up to `last`, unless another has claimed what follows. */
export async function claimAndLand(
  { store }: Pick<PartitionDeps, 'store'>,
  { place, next, found }: OpenPartition,
  { last, lines }: { readonly last: bigint; readonly lines: readonly string[] },
): Promise<{ readonly open: OpenPartition; readonly landed: LandedRange | undefined } | 'overtaken'> {
  const claim = { topicId: place.topicId, start: found?.claim.start ?? next, first: next, last };
  const etag = await writeClaim(store, keyOfClaim(place), claim, found?.etag);
  if (etag === undefined) return 'overtaken';
  const landed = await landRange(store, place, claim, lines);
  return { open: { place, next: last + 1n, found: { claim, etag } }, landed };
}

/** Undefined where the file is there: another has found the claim, and was quicker. */
async function landRange(
  store: ObjectStore,
  place: PartitionPlace,
  range: OffsetRange,
  lines: readonly string[],
): Promise<LandedRange | undefined> {
  const key = prefixOf(place) + rangeName(range);
  const bytes = await packLines(lines);
  const { kind } = await store.write(key, bytes, { kind: 'absent' });
  return kind === 'written' ? { key, records: lines.length, bytes: bytes.length } : undefined;
}

/** The lines of a range that is wholly in the topic. */
async function readRange({ reader }: PartitionDeps, place: PartitionPlace, range: OffsetRange): Promise<string[]> {
  const lines: string[] = [];
  let next = range.first;
  for (let idle = 0; next <= range.last && idle < MOST_IDLE_READS; ) {
    const slices = await reader.read(new Map([[place.partition, next]]), READ_MS);
    const read = slices.find(({ partition }) => partition === place.partition);
    idle = read === undefined || read.next === next ? idle + 1 : 0;
    for (const record of read?.records ?? []) {
      if (record.offset <= range.last) lines.push(renderLine(place.topic, place.partition, record));
    }
    next = read?.next ?? next;
  }
  if (next > range.last) return lines;
  throw new Unavailable(
    `partition ${place.partition} of ${place.topic} gave nothing from offset ${next} on, up to ${range.last}`,
  );
}

const READ_MS = 1_000;
const MOST_IDLE_READS = 20;

/** The lines of a slice. */
export function linesOf({ topic, partition }: PartitionPlace, { records }: TopicSlice): readonly string[] {
  return records.map((record) => renderLine(topic, partition, record));
}

function prefixOf({ pipeline, source, topic, partition }: PartitionPlace): string {
  return `bronze/${pipeline}/${source}/${topic}/${partition}/`;
}

function keyOfClaim({ pipeline, source, topic, partition }: PartitionPlace): string {
  return claimKey(pipeline, source, topic, partition);
}

function madeAnew(place: PartitionPlace, { topicId }: Claim): InvalidInput {
  return new InvalidInput(
    `the topic ${place.topic} was made anew: got id ${place.topicId}; expected ${topicId}, whose records are in ${prefixOf(place)}. ` +
      'Its offsets begin again, and would be taken for those of before: give the new topic a source of its own, or one of another pipeline',
  );
}

function hasShrunk(place: PartitionPlace, end: bigint, after: bigint): InvalidInput {
  return new InvalidInput(
    `partition ${place.partition} of the topic ${place.topic} has shrunk: got offsets up to ${end - 1n}; expected ${after - 1n} and ` +
      `more, which were claimed or landed in ${prefixOf(place)}. Its brokers have lost records that were read: what is written now would ` +
      'have offsets of before. Let the topic be made anew under another name, with a source of its own',
  );
}

function areLost(place: PartitionPlace, first: bigint, last: bigint): InvalidInput {
  return new InvalidInput(
    `partition ${place.partition} of the topic ${place.topic} has lost offsets ${first} to ${last} before they were landed: expected ` +
      `them to stay until they are. Keep records longer (retention.ms), and go on without those: strata consume ${place.pipeline} ${place.source} --skip-lost`,
  );
}
