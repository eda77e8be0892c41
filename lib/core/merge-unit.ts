import type { KeyRanges } from './key-ranges.ts';

export type MergeUnit = { readonly unit: string; readonly model: string } & (
  | { readonly kind: 'dedupe' | 'compact'; readonly inputs: readonly string[] }
  | {
      readonly kind: 'keyed';
      readonly shares: readonly KeyShare[];
      readonly extracts: string | null;
      readonly ranges?: KeyRanges;
    }
);

/** Some key buckets, or one of several parts of a bucket too large for one unit. */
export type KeyShare = {
  readonly buckets: readonly number[];
  readonly part: number;
  readonly parts: number;
  /** Keys of the staged events. */
  readonly events: readonly string[];
  /** The bucket of each of these files, which are such as the log has; earlier releases wrote it beside each event. */
  readonly event_buckets?: readonly number[];
};
