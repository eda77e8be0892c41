import { mapConcurrent } from '../core/concurrency.ts';
import { snapshotsSince } from '../iceberg/snapshot.ts';
import type { ManifestEntry, ManifestFile, Snapshot, TableMetadata } from '../iceberg/types.ts';
import type { ObjectStore } from '../ports.ts';
import type { Prepared } from './prepare.ts';
import { readManifest, readManifestList } from './read.ts';
import { partitionKey } from './removal.ts';

/**
 * Whether what others committed since a change was prepared contradicts it: the reason, or undefined when the change
 * can be made on top of theirs with the same result as if it had come after them.
 *
 * | prepared        | others appended elsewhere | others touched its partitions | others rewrote without changing rows |
 * |-----------------|---------------------------|-------------------------------|--------------------------------------|
 * | append          | rebase                    | rebase                        | rebase                               |
 * | files           | rebase                    | conflict                      | rebase; its partitions come back as they were |
 * | rewritten files | rebase                    | rebase while its files are there and have lost no rows | the same    |
 * | partitions      | rebase                    | conflict                      | rebase (the partition goes as a whole)     |
 * | all             | conflict                  | conflict                      | rebase                               |
 * | position deletes | rebase                   | conflict                      | rebase; the files that it names come back |
 *
 * Delete files that others added touch their partitions as data files do: a rewrite would bring their rows back. So do those that
 * others took away, without which rows are there that a rewrite leaves out; a rewrite by others takes them away with its files.
 *
 * `ours` are the entries of the prepared snapshot's own manifests, of position deletes those of the delete files. That a file to remove is gone shows when it is looked for.
 */
export async function findConflict(
  store: ObjectStore,
  current: TableMetadata,
  prepared: Prepared,
  ours: readonly ManifestEntry[],
): Promise<string | undefined> {
  if (prepared.removal === 'nothing' && prepared.deletes === undefined) return undefined;
  const newer = snapshotsSince(current, prepared.snapshot?.['parent-snapshot-id'] ?? null);
  if (newer === undefined) return 'the snapshot it was prepared on is no longer part of its history';
  // Files that are written anew may have gone, or lost rows, by a rewrite too.
  const changing = prepared.rewrite === true ? newer : newer.filter(changesRows);
  if (prepared.removal === 'all') {
    const other = changing[0];
    return other === undefined
      ? undefined
      : `snapshot ${other['snapshot-id']} changed rows, and all are to be replaced`;
  }
  const mine = new Set([...prepared.replaced, ...partitionsOf(current, ours)]);
  for (const snapshot of changing) {
    // Rows that others put beside them do not concern files that are written anew as they are; rows that they deleted do.
    const entries = await entriesOf(store, current, snapshot, prepared.rewrite === true ? 'deletes' : undefined);
    const counting = prepared.rewrite === true && !changesRows(snapshot) ? added(entries) : entries;
    const touched = partitionsOf(current, counting);
    const shared = touched.find((key) => mine.has(key));
    if (shared !== undefined) return `snapshot ${snapshot['snapshot-id']} changed partition ${shared}`;
  }
  return undefined;
}

function added(entries: readonly ManifestEntry[]): readonly ManifestEntry[] {
  return entries.filter(({ status }) => status === 'added');
}

/** Operation `replace` is by definition a rewrite that leaves the rows as they are. */
function changesRows(snapshot: Snapshot): boolean {
  return snapshot.summary.operation !== 'replace';
}

/** What a snapshot itself added and removed: data files and delete files, or those of one content. */
export async function entriesOf(
  store: ObjectStore,
  table: TableMetadata,
  snapshot: Snapshot,
  content?: ManifestFile['content'],
): Promise<readonly ManifestEntry[]> {
  const id = snapshot['snapshot-id'];
  const own = (await readManifestList(store, table, snapshot)).filter(
    (one) =>
      one.addedSnapshotId === id &&
      one.addedFiles + one.deletedFiles > 0 &&
      (content === undefined || one.content === content),
  );
  const entries = await mapConcurrent(own, (manifest) => readManifest(store, table, manifest));
  return entries.flat().filter((entry) => entry.status !== 'existing' && entry.snapshotId === id);
}

/**
 * Partition keys of which others have written files anew since a change was prepared that names files there: position deletes would
 * miss the rows that they take out, and files to remove are not there any more. `naming` are entries of the change in these partitions.
 */
export async function findRewritten(
  store: ObjectStore,
  current: TableMetadata,
  prepared: Prepared,
  naming: readonly ManifestEntry[],
): Promise<readonly string[]> {
  if (naming.length === 0) return [];
  const newer = snapshotsSince(current, prepared.snapshot?.['parent-snapshot-id'] ?? null) ?? [];
  const rewrites = newer.filter((snapshot) => !changesRows(snapshot));
  const entries = await mapConcurrent(rewrites, (snapshot) => entriesOf(store, current, snapshot, 'data'));
  const touched = new Set(partitionsOf(current, entries.flat()));
  return partitionsOf(current, naming).filter((key) => touched.has(key));
}

export function partitionsOf(table: TableMetadata, entries: readonly ManifestEntry[]): readonly string[] {
  return [...new Set(entries.map(({ file }) => partitionKey(table, file.specId, file.partition)))];
}
