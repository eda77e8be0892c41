import { currentSnapshot, OWN_PROPERTY, ROWS_OF, RUN_ID, rowsId } from '../iceberg/snapshot.ts';
import type { DataFile, ManifestFile, Operation, Snapshot, TableMetadata } from '../iceberg/types.ts';
import { partitionKey } from './removal.ts';

/**
 * A snapshot's summary: what it changed and what the table holds after it. Totals of rows and files come from the
 * manifest list, so they are right even after a writer that kept none; rows that position deletes take out are among the
 * records, as other engines count them.
 * Source: https://iceberg.apache.org/spec/#snapshots, Appendix F (optional snapshot summary fields).
 */
export function summarize(input: {
  readonly table: TableMetadata;
  readonly added: readonly DataFile[];
  readonly addedDeletes: readonly DataFile[];
  readonly removed: readonly DataFile[];
  readonly removedDeletes: readonly DataFile[];
  /** Those of them that were to go although what they are about stays: rows come back. */
  readonly undone: readonly DataFile[];
  readonly snapshotId: bigint;
  readonly manifests: readonly ManifestFile[];
  /** The rows are those of before, so that what the last snapshot says of them is true of this one. */
  readonly rewrite: boolean;
  readonly properties: Readonly<Record<string, string>>;
}): Snapshot['summary'] {
  const { table, added, addedDeletes, removed, removedDeletes } = input;
  const { data = [], deletes = [] } = Object.groupBy(input.manifests, ({ content }) => content);
  const counts = {
    'added-data-files': BigInt(added.length),
    'added-records': rowsOf(added),
    'added-files-size': bytesOf(added) + bytesOf(addedDeletes),
    'added-delete-files': BigInt(addedDeletes.length),
    'added-position-delete-files': BigInt(addedDeletes.length),
    'added-position-deletes': rowsOf(addedDeletes),
    'deleted-data-files': BigInt(removed.length),
    'deleted-records': rowsOf(removed),
    'removed-files-size': bytesOf(removed) + bytesOf(removedDeletes),
    'removed-delete-files': BigInt(removedDeletes.length),
    'removed-position-delete-files': BigInt(removedDeletes.length),
    'removed-position-deletes': rowsOf(removedDeletes),
    'changed-partition-count': changedPartitions(table, [...added, ...addedDeletes, ...removed, ...removedDeletes]),
  };
  const present = Object.entries(counts).filter(([name, value]) => value > 0n || name === 'changed-partition-count');
  const previousBytes = BigInt(currentSnapshot(table)?.summary['total-files-size'] ?? 0);
  return {
    ...(input.rewrite ? whatRowsSay(table) : {}),
    ...input.properties,
    operation: input.rewrite
      ? 'replace'
      : operationOf([...added, ...input.undone], [...addedDeletes, ...removed, ...input.undone]),
    ...Object.fromEntries(present.map(([name, value]) => [name, String(value)])),
    'total-records': String(liveRows(data)),
    'total-data-files': String(liveFiles(data)),
    'total-files-size': String(previousBytes + counts['added-files-size'] - counts['removed-files-size']),
    'total-delete-files': String(liveFiles(deletes)),
    'total-position-deletes': String(liveRows(deletes)),
    'total-equality-deletes': '0',
    ...countManifests(input),
  };
}

/** How many manifests there are shows without the list being read. */
function countManifests({
  snapshotId,
  manifests,
}: {
  readonly snapshotId: bigint;
  readonly manifests: readonly ManifestFile[];
}): Readonly<Record<string, string>> {
  const created = manifests.filter(({ addedSnapshotId }) => addedSnapshotId === snapshotId).length;
  return { 'manifests-created': String(created), 'manifests-kept': String(manifests.length - created) };
}

function whatRowsSay(table: TableMetadata): Readonly<Record<string, string>> {
  const current = currentSnapshot(table);
  const own = Object.entries(current?.summary ?? {}).filter(
    ([name]) => name.startsWith(OWN_PROPERTY) && name !== RUN_ID,
  );
  const rows = rowsId(table, current);
  return { ...Object.fromEntries(own), ...(rows === undefined ? {} : { [ROWS_OF]: rows }) };
}

/**
 * `come`: what brings rows, data files that come and delete files that are taken away. `changed`: what else than new data files there
 * is, data files that go and delete files that come or are taken away.
 */
function operationOf(come: readonly DataFile[], changed: readonly DataFile[]): Operation {
  if (changed.length === 0) return 'append';
  return come.length === 0 ? 'delete' : 'overwrite';
}

function changedPartitions(table: TableMetadata, files: readonly DataFile[]): bigint {
  return BigInt(new Set(files.map((file) => partitionKey(table, file.specId, file.partition))).size);
}

const liveRows = (manifests: readonly ManifestFile[]): bigint =>
  manifests.reduce((sum, one) => sum + one.addedRows + one.existingRows, 0n);
const liveFiles = (manifests: readonly ManifestFile[]): number =>
  manifests.reduce((sum, one) => sum + one.addedFiles + one.existingFiles, 0);
const rowsOf = (files: readonly DataFile[]): bigint => files.reduce((sum, file) => sum + file.rows, 0n);
const bytesOf = (files: readonly DataFile[]): bigint => files.reduce((sum, file) => sum + file.bytes, 0n);
