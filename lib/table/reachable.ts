import { CONCURRENCY, mapConcurrent } from '../core/concurrency.ts';
import { locator } from '../iceberg/locations.ts';
import { filePaths, manifestPaths, type NamedFile } from '../iceberg/reachable.ts';
import type { Snapshot, TableMetadata } from '../iceberg/types.ts';
import type { ObjectStore } from '../ports.ts';

/** What snapshots that are to go refer to and those that stay do not. By location. */
export type Unneeded = {
  /** Manifests that stay. */
  readonly kept: ReadonlySet<string>;
  /** Manifests that only expired snapshots name. */
  readonly manifests: readonly string[];
  /** Manifest lists and statistics of the expired snapshots. */
  readonly own: readonly string[];
  readonly metadata: TableMetadata;
};

/** By location; `bytes` are those of a data file, null for metadata. */
export type UnneededFile = { readonly path: string; readonly bytes: number | null };

/** Data files that are looked for at once in the manifests that stay: some 50 MB of paths. */
const MOST_LOOKED_FOR = 200_000;

/** Compares the manifest lists of snapshots that are to go with those that stay. */
export async function findUnneeded(
  store: ObjectStore,
  metadata: TableMetadata,
  expired: readonly Snapshot[],
): Promise<Unneeded> {
  const gone = new Set(expired.map((snapshot) => snapshot['snapshot-id']));
  const staying = metadata.snapshots.filter((snapshot) => !gone.has(snapshot['snapshot-id']));
  const kept = await manifestsOf(store, metadata, staying);
  const named = await manifestsOf(store, metadata, expired);
  const statistics = [...(metadata.statistics ?? []), ...(metadata['partition-statistics'] ?? [])];
  const ofGone = statistics.filter((one) => gone.has(one['snapshot-id'])).map((one) => one['statistics-path']);
  const lists = expired.map((snapshot) => snapshot['manifest-list']);
  return { kept, manifests: [...named].filter((path) => !kept.has(path)), own: [...lists, ...ofGone], metadata };
}

/**
 * The locations of all that is unneeded, data files before the manifests that name them, in batches. Holds the paths of so
 * many data files at once, and a few manifests; those that stay are read once for each such batch.
 */
export async function* unneededFiles(
  store: ObjectStore,
  { kept, manifests, own, metadata }: Unneeded,
  most = MOST_LOOKED_FOR,
): AsyncIterable<readonly UnneededFile[]> {
  let batch: UnneededFile[] = [];
  const found = new Map<string, number>();
  let left = manifests.length;
  for (let at = 0; at < manifests.length; at += CONCURRENCY) {
    const some = await mapConcurrent(manifests.slice(at, at + CONCURRENCY), async (manifest) => ({
      manifest,
      files: await filesIn(store, metadata, manifest),
    }));
    for (const { manifest, files } of some) {
      for (const { path, bytes } of files) found.set(path, bytes);
      batch.push({ path: manifest, bytes: null });
      left -= 1;
      if (found.size < most && left > 0) continue;
      await keepLive(store, metadata, kept, found);
      yield [...[...found].map(([path, bytes]) => ({ path, bytes })), ...batch];
      batch = [];
      found.clear();
    }
  }
  yield own.map((path) => ({ path, bytes: null }));
}

/** Takes out of `found` what a manifest that stays has. */
export async function keepLive(
  store: ObjectStore,
  metadata: TableMetadata,
  kept: Iterable<string>,
  found: Pick<Set<string>, 'size' | 'delete'>,
): Promise<void> {
  await mapConcurrent([...kept], async (manifest) => {
    if (found.size === 0) return;
    for (const { path, live } of await filesIn(store, metadata, manifest)) if (live) found.delete(path);
  });
}

/** The manifests of snapshots of a table, each once. */
export async function manifestsOf(
  store: ObjectStore,
  metadata: TableMetadata,
  snapshots: readonly Snapshot[],
): Promise<ReadonlySet<string>> {
  const locate = locator(metadata);
  const found = new Set<string>();
  await mapConcurrent(snapshots, async ({ 'manifest-list': list }) => {
    for (const path of manifestPaths((await store.read(store.key(list))).bytes, list)) found.add(locate(path));
  });
  return found;
}

/** What a manifest names, where it is now. */
async function filesIn(store: ObjectStore, metadata: TableMetadata, manifest: string): Promise<readonly NamedFile[]> {
  const locate = locator(metadata);
  const files = filePaths((await store.read(store.key(manifest))).bytes, manifest);
  return files.map((file) => ({ ...file, path: locate(file.path) }));
}
