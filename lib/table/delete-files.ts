import { mapConcurrent } from '../core/concurrency.ts';
import { matchDeletes } from '../iceberg/position-deletes.ts';
import type { DataFile, ManifestEntry, ManifestFile, TableMetadata } from '../iceberg/types.ts';
import type { ObjectStore } from '../ports.ts';
import { isLive, readManifest } from './read.ts';
import { partitionKey, type Removal, type SplitManifest, selectionOf } from './removal.ts';

/** Manifests of a snapshot: delete files of the one before, and all data files. */
type Manifests = { readonly deletes: readonly ManifestFile[]; readonly data: readonly ManifestFile[] };

/**
 * What a snapshot does with the delete files of the one before: they stay, as manifests or entries, until no data file can
 * be as old as they are. Those of partitions that go as a whole go with them, and where files go those that no file of the
 * partition is left for. Source: https://iceberg.apache.org/spec/#scan-planning.
 */
export async function splitDeletes(
  store: ObjectStore,
  table: TableMetadata,
  { deletes, data }: Manifests,
  removal: Removal,
): Promise<readonly SplitManifest[]> {
  if (deletes.length === 0) return [];
  const oldest = oldestData(data);
  const going = await goingWith(store, table, { deletes, data }, removal);
  const candidates = deletes.filter(
    (one) => going.mayBeIn(one) || oldest === undefined || one.minSequenceNumber < oldest,
  );
  const split = await mapConcurrent(candidates, async (manifest) => {
    const live = (await readManifest(store, table, manifest)).filter(isLive);
    const { removed = [], kept = [] } = Object.groupBy(live, (entry) =>
      oldest === undefined || (entry.sequenceNumber ?? 0n) < oldest || going.holds(entry) ? 'removed' : 'kept',
    );
    return { manifest, kept, removed };
  });
  return split.filter(({ removed }) => removed.length > 0);
}

/** The least data sequence number that a manifest with live files may hold. */
function oldestData(data: readonly ManifestFile[]): bigint | undefined {
  const live = data.filter((manifest) => manifest.addedFiles + manifest.existingFiles > 0);
  const [first, ...others] = live.map((manifest) => manifest.minSequenceNumber);
  return others.reduce((least, one) => (least === undefined || one < least ? one : least), first);
}

type Going = { mayBeIn(manifest: ManifestFile): boolean; holds(entry: ManifestEntry): boolean };

/** The delete files that go with what is removed. */
async function goingWith(
  store: ObjectStore,
  table: TableMetadata,
  manifests: Manifests,
  removal: Removal,
): Promise<Going> {
  const selection = selectionOf(table, removal);
  if (selection === undefined) return { mayBeIn: () => false, holds: () => false };
  if (removal.kind !== 'files') return { mayBeIn: () => true, holds: ({ file }) => selection.holds(file) };
  const named = new Set((removal.deletes ?? []).map(({ path }) => path));
  const unneeded = await unneededIn(store, table, manifests, removal.files);
  return {
    mayBeIn: (manifest) => named.size > 0 || selection.manifestMayHold(manifest),
    holds: ({ file }) => named.has(file.path) || unneeded.has(file.path),
  };
}

/** Delete files in the partitions of files that go, which no data file is left for. */
async function unneededIn(
  store: ObjectStore,
  table: TableMetadata,
  { deletes, data }: Manifests,
  files: readonly DataFile[],
): Promise<ReadonlySet<string>> {
  const selection = selectionOf(table, { kind: 'files', files });
  const partitions = new Set(files.map((file) => partitionKey(table, file.specId, file.partition)));
  const near = async (manifests: readonly ManifestFile[]): Promise<readonly ManifestEntry[]> => {
    const chosen = manifests.filter((one) => selection?.manifestMayHold(one));
    const entries = await mapConcurrent(chosen, (manifest) => readManifest(store, table, manifest));
    const live = entries.flat().filter(isLive);
    return live.filter(({ file }) => partitions.has(partitionKey(table, file.specId, file.partition)));
  };
  const candidates = await near(deletes);
  if (candidates.length === 0) return new Set();
  const deletesOf = matchDeletes(table, candidates);
  const needed = new Set((await near(data)).flatMap((entry) => deletesOf(entry).map(({ path }) => path)));
  return new Set(candidates.map(({ file }) => file.path).filter((path) => !needed.has(path)));
}
