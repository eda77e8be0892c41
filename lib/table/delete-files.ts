import { mapConcurrent } from '../core/concurrency.ts';
import type { ManifestEntry, ManifestFile, TableMetadata } from '../iceberg/types.ts';
import type { ObjectStore } from '../ports.ts';
import { isLive, readManifest } from './read.ts';
import { type Removal, type SplitManifest, selectionOf } from './removal.ts';

/**
 * What a snapshot does with the delete files of the one before: they stay, as manifests or entries, until no data file can
 * be as old as they are. Those of partitions that go as a whole go with them. Source: https://iceberg.apache.org/spec/#scan-planning.
 */
export async function splitDeletes(
  store: ObjectStore,
  table: TableMetadata,
  { deletes, data }: { readonly deletes: readonly ManifestFile[]; readonly data: readonly ManifestFile[] },
  removal: Removal,
): Promise<readonly SplitManifest[]> {
  if (deletes.length === 0) return [];
  const oldest = oldestData(data);
  const goes = removedWith(table, removal);
  const whole = removal.kind === 'all' || removal.kind === 'partitions';
  const candidates = deletes.filter((one) => whole || oldest === undefined || one.minSequenceNumber < oldest);
  const split = await mapConcurrent(candidates, async (manifest) => {
    const live = (await readManifest(store, table, manifest)).filter(isLive);
    const { removed = [], kept = [] } = Object.groupBy(live, (entry) =>
      oldest === undefined || (entry.sequenceNumber ?? 0n) < oldest || goes(entry) ? 'removed' : 'kept',
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

function removedWith(table: TableMetadata, removal: Removal): (entry: ManifestEntry) => boolean {
  if (removal.kind === 'files') return () => false;
  const selection = selectionOf(table, removal);
  return ({ file }) => selection?.holds(file) === true;
}
