import type { KeyRanges } from './key-ranges.ts';

export type MergeUnit = { readonly unit: string; readonly model: string } & (
  | { readonly kind: 'dedupe' | 'compact'; readonly inputs: readonly string[] }
  | ({ readonly kind: 'combine'; readonly files: readonly ExchangedFile[] } & BucketSpan)
  | {
      readonly kind: 'keyed';
      readonly shares: readonly KeyShare[];
      readonly extracts: string | null;
      readonly ranges?: KeyRanges;
    }
);

/** What a unit of staging has written for a merge of a gold model, with rows of all buckets. */
export type ExchangedFile = {
  readonly key: string;
  /** The id of the table whose rows it has, or is made of. */
  readonly table: string;
  readonly bytes: number;
  readonly rows: number;
};

/** Buckets from one, up to before another. */
export type BucketSpan = { readonly from: number; readonly to: number };

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
