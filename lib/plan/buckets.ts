import type { KeyedMode, SourceSpec } from '../core/spec.ts';

/** About so much of a keyed table lies in one of its buckets. */
const BYTES_PER_BUCKET = 32 * 1024 * 1024;
const MOST_BUCKETS = 256;

/** Text takes so many times the room of the Parquet that is made of it. */
const TEXT = 4;

/** Of a table whose keys lie in ranges so many files are wanted at least, so that what is written anew is a small part of it. */
const LEAST_RANGES = 64;
const LEAST_RANGE_BYTES = 512 * 1024;

/** What says by comparisons where a key lies, and a plan that has them, shall not become too large. */
const MOST_RANGES = 1024;

/** Bytes of a file of a table of some size whose keys lie in ranges, no more than a file is to have. */
export function rangeBytes(tableBytes: number, fileBytes: number): number {
  const wanted = Math.min(BYTES_PER_BUCKET, Math.max(LEAST_RANGE_BYTES, tableBytes / LEAST_RANGES));
  return Math.ceil(Math.min(fileBytes, wanted));
}

/** Bytes of the files that are read and written together. */
export function bytesTogether(tableBytes: number, fileBytes: number): number {
  return Math.max(rangeBytes(tableBytes, fileBytes), Math.ceil((2 * tableBytes) / MOST_RANGES));
}

/** A range above this part of what it is to have is cut when it is written. */
const LARGE = 1.8;

/** Into how many parts a range is cut. */
export function rangeParts(bytes: number, wanted: number): number {
  return bytes > LARGE * wanted ? Math.min(MOST_RANGES, Math.round(bytes / wanted)) : 1;
}

/** Buckets of an exchange, so that one holds about half a unit. */
export function exchangeBuckets(bytes: number, unitBytes: number): number {
  return Math.min(1024, Math.max(2, Math.ceil((2 * bytes) / unitBytes)));
}

/** Text of which so much is read at once fills row groups, also where some partitions share it. */
const MUCH_TEXT = 64 * 1024 * 1024;

/** Whether what is written of so much input, and of so much of a table, comes in row groups that are full, or nearly. */
export function fillsRowGroups(input: number, tableBytes = 0): boolean {
  return input + TEXT * tableBytes >= MUCH_TEXT;
}

/** About how large a table will be that is made of so much input. */
export function likelyTableBytes(input: number, { kind }: Pick<SourceSpec['format'], 'kind'>): number {
  return kind === 'parquet' ? input : input / TEXT;
}

type Asked = Pick<KeyedMode, 'buckets'>;

/**
 * Buckets of a keyed table of some size that is made anew: what the mode asks for, else a power of two that fits. No bucket shall have more
 * than a file is to have.
 */
export function chosenBuckets({ buckets }: Asked, bytes: number, fileBytes = BYTES_PER_BUCKET): number {
  if (buckets !== null) return buckets;
  const wanted = Math.ceil(bytes / Math.min(BYTES_PER_BUCKET, fileBytes));
  return Math.min(MOST_BUCKETS, 2 ** Math.ceil(Math.log2(Math.max(1, wanted))));
}

/** Buckets of one that is rebuilt: where the mode asks for no number, no fewer than there are, and more where it has grown. */
export function rebuiltBuckets(mode: Asked, current: number, bytes: number, fileBytes?: number): number {
  return mode.buckets ?? Math.max(current, chosenBuckets(mode, bytes, fileBytes));
}

/** So many times as many buckets a table has to need before a run gives it more, for all of it is written anew for them. */
const GROWTH = 4;

/**
 * Buckets of a table that has outgrown those that it has; undefined for one that keeps them. More by a power of two, so that all of a new bucket
 * lies in one of before.
 */
export function grownBuckets(mode: Asked, current: number, bytes: number, fileBytes: number): number | undefined {
  if (mode.buckets !== null) return undefined;
  const wanted = chosenBuckets(mode, bytes, fileBytes);
  const grown = current * 2 ** Math.floor(Math.log2(wanted / current));
  return wanted >= GROWTH * current ? grown : undefined;
}
