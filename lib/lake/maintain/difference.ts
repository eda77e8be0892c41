import type { TableId } from '../../core/tables.ts';
import type { DataFile, ManifestEntry, TableMetadata } from '../../iceberg/types.ts';
import type { ObjectStore } from '../../ports.ts';
import { loadTable, planDeletes, planFiles, type ScannedFile } from '../../table/read.ts';
import type { StepDeps } from '../deps.ts';

/** What one snapshot has and another has not. */
export type Difference = {
  readonly added: readonly ScannedFile[];
  readonly removed: readonly ScannedFile[];
  /** Delete files that come, or come again, and those that go. */
  readonly addedDeletes: readonly DataFile[];
  readonly removedDeletes: readonly DataFile[];
};

const NO_DIFFERENCE: Difference = { added: [], removed: [], addedDeletes: [], removedDeletes: [] };

export async function differenceTo(deps: StepDeps, id: TableId, to: bigint): Promise<Difference> {
  const entry = await loadTable(deps.catalog, id);
  return entry === undefined ? NO_DIFFERENCE : differenceIn(deps.store, entry.metadata, to);
}

export async function differenceIn(store: ObjectStore, metadata: TableMetadata, to: bigint): Promise<Difference> {
  const [then, now] = [await planFiles(store, metadata, { snapshotId: to }), await planFiles(store, metadata)];
  const paths = (files: readonly ScannedFile[]): ReadonlySet<string> => new Set(files.map(({ path }) => path));
  const [old, current] = [paths(then), paths(now)];
  const added = then.filter(({ path }) => !current.has(path));
  return { added, removed: now.filter(({ path }) => !old.has(path)), ...(await deletesIn(store, metadata, to, added)) };
}

/**
 * A data file that comes back is younger than the delete files that it had, which come again beside it. Their paths tell what they
 * are about, and a path has one content for good.
 */
async function deletesIn(
  store: ObjectStore,
  metadata: TableMetadata,
  to: bigint,
  added: readonly ScannedFile[],
): Promise<Pick<Difference, 'addedDeletes' | 'removedDeletes'>> {
  const [then, now] = [await planDeletes(store, metadata, { snapshotId: to }), await planDeletes(store, metadata)];
  const [old, current] = [then, now].map((entries) => new Set(entries.map(({ file }) => file.path)));
  const again = new Set(added.flatMap(({ deletes }) => deletes.map(({ path }) => path)));
  const files = (entries: readonly ManifestEntry[], chosen: (path: string) => boolean): readonly DataFile[] =>
    entries.map(({ file }) => file).filter(({ path }) => chosen(path));
  return {
    addedDeletes: files(then, (path) => again.has(path) || current?.has(path) !== true),
    removedDeletes: files(now, (path) => again.has(path) || old?.has(path) !== true),
  };
}
