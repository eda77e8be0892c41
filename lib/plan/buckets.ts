import type { KeyedModel } from '../core/keyed.ts';

/** About this many bytes of parsed input make a bucket of a new keyed table. */
const BYTES_PER_BUCKET = 64 * 1024 * 1024;
const MOST_BUCKETS = 256;

/** Buckets of an exchange, so that one holds about half a unit. */
export function exchangeBuckets(bytes: number, unitBytes: number): number {
  return Math.min(1024, Math.max(2, Math.ceil((2 * bytes) / unitBytes)));
}

/** Buckets of a keyed table that is made anew: what the model asks for, else by the size of its first batch. */
export function chosenBuckets(model: KeyedModel, bytes: number): number {
  if (model.mode.buckets !== null) return model.mode.buckets;
  const wanted = Math.ceil(bytes / BYTES_PER_BUCKET);
  return Math.min(MOST_BUCKETS, 2 ** Math.ceil(Math.log2(Math.max(1, wanted))));
}
