import { namesOf } from './locations.ts';
import type { DataFile, IcebergValue, ManifestEntry, StructType, TableMetadata } from './types.ts';

/**
 * Position deletes: files of (file_path, pos) that take rows out of data files which stay as they are.
 * Source: https://iceberg.apache.org/spec/#position-delete-files, "Scan Planning".
 */

/** The reserved field ids of a delete file's columns. */
export const FILE_PATH_ID = 2147483546;
export const POS_ID = 2147483545;

/** The columns of a delete file. */
export const POSITION_DELETES: StructType = {
  type: 'struct',
  fields: [
    { id: FILE_PATH_ID, name: 'file_path', required: true, type: 'string' },
    { id: POS_ID, name: 'pos', required: true, type: 'long' },
  ],
};

/** A delete file that applies to a data file. */
export type DeleteFile = {
  readonly path: string;
  /** Of data: its rows apply to data files that are not younger. */
  readonly sequence: bigint;
  readonly rows: bigint;
  readonly bytes: bigint;
};

/** For each data file of a table the delete files that may name rows of it, by partition, age and the paths they span. */
export function matchDeletes(
  table: Pick<TableMetadata, 'location' | 'properties'>,
  deletes: readonly ManifestEntry[],
): (data: ManifestEntry) => readonly DeleteFile[] {
  if (deletes.length === 0) return () => [];
  const names = namesOf(table);
  const byScope = Map.groupBy(deletes, ({ file }) => scopeOf(file));
  return (data) => {
    const scope = byScope.get(scopeOf(data.file)) ?? [];
    if (scope.length === 0) return [];
    const paths = names(data.file.path).map((path) => Buffer.from(path));
    const since = data.sequenceNumber ?? 0n;
    return scope
      .filter((one) => (one.sequenceNumber ?? 0n) >= since && paths.some((path) => spans(one.file, path)))
      .map(deleteFile);
  };
}

function deleteFile({ file, sequenceNumber }: ManifestEntry): DeleteFile {
  return { path: file.path, sequence: sequenceNumber ?? 0n, rows: file.rows, bytes: file.bytes };
}

/** Deletes apply within one partition of one spec; the partition of an unpartitioned table is the empty one. */
function scopeOf({ specId, partition }: DataFile): string {
  return `${specId} ${JSON.stringify(partition.map(textOf))}`;
}

function textOf(value: IcebergValue): unknown {
  if (typeof value === 'bigint' || typeof value === 'number') return [String(value)];
  return value instanceof Uint8Array ? { hex: Buffer.from(value).toString('hex') } : value;
}

function spans({ lowerBounds, upperBounds }: DataFile, path: Buffer): boolean {
  const [lower, upper] = [lowerBounds.get(FILE_PATH_ID), upperBounds.get(FILE_PATH_ID)];
  return (
    (lower === undefined || Buffer.compare(lower, path) <= 0) &&
    (upper === undefined || Buffer.compare(upper, path) >= 0)
  );
}
