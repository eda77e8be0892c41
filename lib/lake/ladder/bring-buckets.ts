import type { BucketSpan, ExchangedFile } from '../../core/merge-unit.ts';
import type { DataFile } from '../../iceberg/types.ts';
import type { ObjectStore } from '../../ports.ts';
import { BUCKET_ID } from '../../sql/ladder/buckets.ts';
import { type Brought, bringParts } from '../files/bring-parts.ts';

/** Of files of all buckets the row groups that have some of them. */
export function bringBuckets(
  store: ObjectStore,
  files: readonly ExchangedFile[],
  { span, columns }: { readonly span: BucketSpan; readonly columns: number },
): Promise<Brought> {
  const ids = Array.from({ length: columns + 1 }, (_, at) => BUCKET_ID + at);
  const needed = { columns: new Set(ids), mayMatch: (part: DataFile) => mayHave(part, span) };
  return bringParts(
    store,
    files.map((file) => ({ ...dataFile(store, file, ids), needed })),
  );
}

function mayHave({ lowerBounds, upperBounds }: DataFile, { from, to }: BucketSpan): boolean {
  const [lower, upper] = [bucketOf(lowerBounds.get(BUCKET_ID)), bucketOf(upperBounds.get(BUCKET_ID))];
  return (lower === undefined || lower < to) && (upper === undefined || upper >= from);
}

function bucketOf(bound: Uint8Array | undefined): number | undefined {
  return bound === undefined || bound.length !== 4 ? undefined : Buffer.from(bound).readInt32LE();
}

function dataFile(store: ObjectStore, { key, bytes, rows }: ExchangedFile, ids: readonly number[]): DataFile {
  const counts = new Map(ids.map((id) => [id, BigInt(rows)]));
  return {
    path: store.location(key),
    specId: 0,
    partition: [],
    rows: BigInt(rows),
    bytes: BigInt(bytes),
    columnSizes: new Map(),
    valueCounts: counts,
    nullCounts: new Map(),
    nanCounts: new Map(),
    lowerBounds: new Map(),
    upperBounds: new Map(),
    sortOrderId: null,
  };
}
