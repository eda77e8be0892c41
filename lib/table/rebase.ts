import { mapConcurrent } from '../core/concurrency.ts';
import { CommitConflict } from '../core/errors.ts';
import { applyChange } from '../iceberg/apply.ts';
import { joinChanges } from '../iceberg/changes.ts';
import { guardGivenBack } from '../iceberg/given-back.ts';
import type { ManifestEntry, ManifestFile, TableMetadata } from '../iceberg/types.ts';
import type { CatalogEntry, ObjectStore } from '../ports.ts';
import { entriesOf, findConflict, findRewritten, partitionsOf } from './conflicts.ts';
import { finishPrepared, type Prepared } from './prepare.ts';
import { isLive, readManifest, readManifestList } from './read.ts';
import { type Removal, tupleOfKey } from './removal.ts';
import { type Restored, stageSnapshot } from './stage.ts';

export type RebaseOptions = { readonly nowMs: number; readonly unique: string; readonly attempt: number };

/**
 * The prepared change on top of what the table has become. Data files and the manifests of added files stay; only
 * the manifest list is written anew, and manifests from which files are removed. Throws CommitConflict when the
 * table's present state contradicts the change.
 */
export async function rebasePrepared(
  store: ObjectStore,
  prepared: Prepared,
  current: CatalogEntry | undefined,
  options: RebaseOptions,
): Promise<Prepared> {
  if (current === undefined) return withoutTable(prepared);
  const table = applyChange(prepared.alter, current.metadata, options.nowMs);
  const { summary, removal, replaced, rewrite, mergeAll, deletes } = prepared;
  const rewriting = { ...(rewrite === undefined ? {} : { rewrite }), ...(mergeAll === undefined ? {} : { mergeAll }) };
  const intent = { summary, removal, replaced, ...rewriting, ...(deletes === undefined ? {} : { deletes }) };
  if (prepared.snapshot === undefined) {
    return finishPrepared(current, prepared.alter, table, undefined, options.nowMs, intent);
  }
  const own = await ownManifests(store, prepared);
  const entries = await entriesOf(store, prepared.metadata, prepared.snapshot, 'data');
  const deleting = deletes === undefined ? [] : await entriesOf(store, prepared.metadata, prepared.snapshot, 'deletes');
  const added = deleting.filter(({ status }) => status === 'added');
  const ours = removal === 'nothing' ? added : [...entries, ...added];
  const conflict = await findConflict(store, current.metadata, prepared, ours);
  if (conflict !== undefined) {
    throw new CommitConflict(`cannot repeat the change on top of ${table.location}: ${conflict}`);
  }
  const naming = removal === 'files' && rewrite !== true ? ours : added;
  const rewritten = await findRewritten(store, current.metadata, prepared, naming);
  const snapshot = await stageSnapshot(store, {
    table,
    added: filesOf(entries, 'added'),
    addedDeletes: filesOf(added, 'added'),
    addedManifests: own,
    ...(rewritten.length === 0
      ? { removal: repeatRemoval(table, prepared, entries) }
      : await takeBack(store, table, prepared, rewritten)),
    snapshotId: prepared.snapshot['snapshot-id'],
    unique: options.unique,
    attempt: options.attempt,
    summary,
    ...rewriting,
  });
  const guard = rewritten.length === 0 ? undefined : guardGivenBack(current.metadata, removedSince(prepared, current));
  return finishPrepared(current, joinChanges(prepared.alter, guard), table, snapshot, options.nowMs, intent);
}

/** The snapshots that have come since the change was prepared, which have written its files anew. */
function removedSince({ snapshot }: Prepared, { metadata }: CatalogEntry): Parameters<typeof guardGivenBack>[1] {
  return { from: snapshot?.['sequence-number'] ?? 0n, to: metadata['last-sequence-number'] };
}

/** A new table may still be made; one that was dropped in the meantime may not come back by a retry. */
function withoutTable(prepared: Prepared): Prepared {
  if (prepared.change.requirements.some((requirement) => requirement.type === 'assert-create')) return prepared;
  throw new CommitConflict(`${prepared.metadata.location}: the table is gone since the change was planned`);
}

async function ownManifests(store: ObjectStore, { metadata, snapshot }: Prepared): Promise<readonly ManifestFile[]> {
  if (snapshot === undefined) return [];
  const manifests = await readManifestList(store, metadata, snapshot);
  return manifests.filter((one) => one.addedSnapshotId === snapshot['snapshot-id'] && one.addedFiles > 0);
}

/** `all` and whole partitions are looked up again: a rewrite by others may have put the same rows into other files. */
function repeatRemoval(table: TableMetadata, prepared: Prepared, entries: readonly ManifestEntry[]): Removal {
  switch (prepared.removal) {
    case 'nothing':
    case 'all':
      return { kind: prepared.removal };
    case 'files':
      return { kind: 'files', files: filesOf(entries, 'deleted') };
    case 'partitions':
      return { kind: 'partitions', tuples: prepared.replaced.map((key) => tupleOfKey(table, key)) };
  }
}

/**
 * Partitions as they were when the change was prepared, by the manifests that it listed then: others have written their files
 * anew since, with the same rows, and the change names files of before: to remove them, or by position deletes.
 */
async function takeBack(
  store: ObjectStore,
  table: TableMetadata,
  { metadata, snapshot, replaced }: Prepared,
  partitions: readonly string[],
): Promise<{ readonly removal: Removal; readonly restored: Restored }> {
  const id = snapshot?.['snapshot-id'];
  const listed = snapshot === undefined ? [] : await readManifestList(store, metadata, snapshot);
  const live = async (content: ManifestFile['content']): Promise<readonly ManifestEntry[]> => {
    const chosen = listed.filter((one) => one.content === content);
    const entries = await mapConcurrent(chosen, (manifest) => readManifest(store, metadata, manifest));
    const before = entries.flat().filter((entry) => isLive(entry) && entry.snapshotId !== id);
    return before.filter((entry) => partitionsOf(table, [entry]).some((key) => partitions.includes(key)));
  };
  return {
    removal: {
      kind: 'partitions',
      tuples: [...new Set([...replaced, ...partitions])].map((key) => tupleOfKey(table, key)),
    },
    restored: { data: await live('data'), deletes: await live('deletes') },
  };
}

function filesOf(entries: readonly ManifestEntry[], status: ManifestEntry['status']): readonly ManifestEntry['file'][] {
  return entries.filter((entry) => entry.status === status).map((entry) => entry.file);
}
