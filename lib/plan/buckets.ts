import type { KeyedMode, SourceSpec } from '../core/spec.ts';

/** About so much of a keyed table lies in one of its buckets. */
const BYTES_PER_BUCKET = 32 * 1024 * 1024;
const MOST_BUCKETS = 256;

/** Text takes so many times the room of the Parquet that is made of it. */
const TEXT = 4;

/** Buckets of an exchange, so that one holds about half a unit. */
export function exchangeBuckets(bytes: number, unitBytes: number): number {
  return Math.min(1024, Math.max(2, Math.ceil((2 * bytes) / unitBytes)));
}

/** About how large a table will be that is made of so much input. */
export function likelyTableBytes(input: number, { kind }: Pick<SourceSpec['format'], 'kind'>): number {
  return kind === 'parquet' ? input : input / TEXT;
}

type Asked = Pick<KeyedMode, 'buckets'>;

/** Buckets of a keyed table of some size that is made anew: what the mode asks for, else a power of two that fits. */
export function chosenBuckets({ buckets }: Asked, bytes: number): number {
  if (buckets !== null) return buckets;
  const wanted = Math.ceil(bytes / BYTES_PER_BUCKET);
  return Math.min(MOST_BUCKETS, 2 ** Math.ceil(Math.log2(Math.max(1, wanted))));
}

/** Buckets of one that is rebuilt: where the mode asks for no number, no fewer than there are, and more where it has grown. */
export function rebuiltBuckets(mode: Asked, current: number, bytes: number): number {
  return mode.buckets ?? Math.max(current, chosenBuckets(mode, bytes));
}
