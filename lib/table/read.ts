import { mapConcurrent } from '../core/concurrency.ts';
import { InvalidInput } from '../core/errors.ts';
import { fullName, type TableId, tablePrefix } from '../core/tables.ts';
import { assertReadable } from '../iceberg/features.ts';
import { locator, settleTable } from '../iceberg/locations.ts';
import { decodeManifest } from '../iceberg/manifest.ts';
import { decodeManifestList } from '../iceberg/manifest-list.ts';
import { ownFiles } from '../iceberg/own-files.ts';
import { resolveSpec, specById } from '../iceberg/partition.ts';
import { type DeleteFile, matchDeletes } from '../iceberg/position-deletes.ts';
import type { Predicate } from '../iceberg/predicate.ts';
import { planScans } from '../iceberg/scan.ts';
import { currentSchema } from '../iceberg/schema.ts';
import { currentSnapshot, snapshotById } from '../iceberg/snapshot.ts';
import type { DataFile, ManifestEntry, ManifestFile, Snapshot, TableMetadata } from '../iceberg/types.ts';
import type { Catalog, CatalogEntry, ObjectStore } from '../ports.ts';
import { cacheOf } from './manifest-cache.ts';

/**
 * The table as it is where it was found, or undefined when there is none. Throws UnreadableTable when it needs a feature
 * that we don't read.
 */
export async function loadTable(catalog: Catalog, id: TableId): Promise<CatalogEntry | undefined> {
  const entry = await catalog.load(id);
  if (entry === undefined) return undefined;
  assertReadable(entry.metadata, fullName(id));
  return { ...entry, metadata: settledAt(id, entry.metadata, entry.metadataLocation) };
}

/** The metadata of a table as it is where its file was found. */
export function settledAt(id: TableId, metadata: TableMetadata, metadataLocation: string): TableMetadata {
  const folder = `/${tablePrefix(id)}`;
  const end = metadataLocation.lastIndexOf(`${folder}/metadata/`);
  if (end < 0) return metadata;
  return settleTable(metadata, metadataLocation.slice(0, end + folder.length));
}

export type ScanOptions = {
  /** Default: the current snapshot. */
  readonly snapshotId?: bigint;
  /** All must hold for a row to count; files that certainly hold no such row are left out. */
  readonly predicates?: readonly Predicate[];
  /** Beside the predicates: all of one of these lists must hold as well. */
  readonly alternatives?: readonly (readonly Predicate[])[];
};

/**
 * A data file that a scan found, and the snapshot that added it. `foreign`: nothing shows that a run of ours wrote it, so it
 * may lack field ids.
 */
export type ScannedFile = DataFile & {
  readonly foreign: boolean;
  readonly snapshotId: bigint | null;
  /** Of data. */
  readonly sequence: bigint;
  /** Position deletes that may take rows out of it. */
  readonly deletes: readonly DeleteFile[];
};

/**
 * The data files of a snapshot that may hold a matching row, in manifest order; none for a table without a snapshot.
 * Throws InvalidInput for an unknown snapshot, UnreadableTable for equality deletes and what else we do not read.
 */
export async function planFiles(
  store: ObjectStore,
  metadata: TableMetadata,
  options: ScanOptions = {},
): Promise<readonly ScannedFile[]> {
  const snapshot = chosenSnapshot(metadata, options.snapshotId);
  if (snapshot === undefined) return [];
  const { predicates = [], alternatives = [[]] } = options;
  const filter = planScans(
    metadata,
    alternatives.map((more) => [...predicates, ...more]),
  );
  const manifests = (await readManifestList(store, metadata, snapshot))
    .filter(hasLiveFiles)
    .filter(filter.manifestMayMatch);
  const read = async (content: ManifestFile['content']): Promise<readonly ManifestEntry[]> => {
    const chosen = manifests.filter((manifest) => manifest.content === content);
    const entries = await mapConcurrent(chosen, (manifest) => readManifest(store, metadata, manifest));
    return entries.flat().filter(isLive);
  };
  const isOwn = ownFiles(metadata);
  const deletesOf = matchDeletes(metadata, await read('deletes'));
  return (await read('data'))
    .filter((entry) => filter.fileMayMatch(entry.file))
    .map((entry) => ({
      ...entry.file,
      snapshotId: entry.snapshotId,
      foreign: !isOwn(entry),
      sequence: entry.sequenceNumber ?? 0n,
      deletes: deletesOf(entry),
    }));
}

/** The delete files of a snapshot. */
export async function planDeletes(
  store: ObjectStore,
  metadata: TableMetadata,
  options: Pick<ScanOptions, 'snapshotId'> = {},
): Promise<readonly ManifestEntry[]> {
  const snapshot = chosenSnapshot(metadata, options.snapshotId);
  const manifests = snapshot === undefined ? [] : await readManifestList(store, metadata, snapshot);
  const chosen = manifests.filter((manifest) => manifest.content === 'deletes' && hasLiveFiles(manifest));
  const entries = await mapConcurrent(chosen, (manifest) => readManifest(store, metadata, manifest));
  return entries.flat().filter(isLive);
}

function chosenSnapshot(metadata: TableMetadata, id: bigint | undefined): Snapshot | undefined {
  if (id === undefined) return currentSnapshot(metadata);
  const snapshot = snapshotById(metadata, id);
  if (snapshot === undefined) throw new InvalidInput(`${metadata.location} has no snapshot ${id}`);
  return snapshot;
}

export const isLive = (entry: ManifestEntry): boolean => entry.status !== 'deleted';

export const hasLiveFiles = (manifest: ManifestFile): boolean => manifest.addedFiles + manifest.existingFiles > 0;

/** A snapshot's manifests, with their paths as they are now. */
export async function readManifestList(
  store: ObjectStore,
  table: Pick<TableMetadata, 'location' | 'properties'>,
  snapshot: Snapshot,
): Promise<readonly ManifestFile[]> {
  const { bytes } = await store.read(store.key(snapshot['manifest-list']));
  const locate = locator(table);
  return decodeManifestList(bytes).map((manifest) => ({ ...manifest, path: locate(manifest.path) }));
}

/** The current snapshot's manifests; none for a table without a snapshot. */
export async function currentManifests(store: ObjectStore, metadata: TableMetadata): Promise<readonly ManifestFile[]> {
  const snapshot = currentSnapshot(metadata);
  return snapshot === undefined ? [] : readManifestList(store, metadata, snapshot);
}

/** All entries of a manifest, deleted ones too, with inherited ids and sequence numbers filled in. */
export async function readManifest(
  store: ObjectStore,
  metadata: TableMetadata,
  manifest: ManifestFile,
): Promise<readonly ManifestEntry[]> {
  // A retried commit lists the same manifest under another sequence number, which its entries inherit.
  const key = `${manifest.path} ${manifest.sequenceNumber}`;
  const cached = cacheOf(store).get(key);
  if (cached !== undefined) return cached;
  const { bytes } = await store.read(store.key(manifest.path));
  const fields = resolveSpec(specById(metadata, manifest.specId), currentSchema(metadata), ...metadata.schemas);
  const locate = locator(metadata);
  const entries = decodeManifest(bytes, manifest, fields).map((entry) => {
    const path = locate(entry.file.path);
    return path === entry.file.path ? entry : { ...entry, file: { ...entry.file, path } };
  });
  cacheOf(store).set(key, entries);
  return entries;
}
