import { UnreadableTable } from '../../core/errors.ts';
import type { Vacuumed } from '../../core/maintenance.ts';
import { fullName, type TableId, tablePrefix } from '../../core/tables.ts';
import { locator } from '../../iceberg/locations.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { CatalogEntry, ObjectInfo, ObjectStore } from '../../ports.ts';
import { keepLive, manifestsOf } from '../../table/reachable.ts';
import { loadTable } from '../../table/read.ts';
import { type MaintainDeps, requireOwn } from './expire-table.ts';
import { type RecordOf, removeRecorded } from './removals.ts';
import type { Needs } from './unfinished.ts';

/** Objects that are compared at once with what a table names: some 50 MB of keys. */
const MOST_COMPARED = 200_000;

/** What the file catalog keeps beside its versions. Source: https://iceberg.apache.org/spec/#file-system-tables. */
const VERSION_HINT = 'metadata/version-hint.text';

/**
 * Removes what lies in a table's folder, is older than `before`, and is needed by no snapshot that the table has, by none of
 * its metadata files and by no unfinished run. Objects are listed before the table is loaded, so that what a commit adds
 * meanwhile is known. Throws UnreadableTable where the table names its files in a way that could not be compared.
 */
export async function vacuumTable(
  deps: MaintainDeps,
  id: TableId,
  before: number,
  needs: Needs,
  record: RecordOf | undefined,
): Promise<Vacuumed> {
  const counted = createCount();
  const orphans = orphansOf(deps, id, Math.min(before, needs.since), needs, counted);
  await removeAll(deps.store, record, fullName(id), orphans);
  return { table: fullName(id), kind: 'table', ...counted };
}

/** The same for a table that was dropped longer ago than `before`: all of its folder goes but what says that it was dropped. */
export async function vacuumDropped(
  deps: MaintainDeps,
  id: TableId,
  before: number,
  needs: Needs,
  record: RecordOf | undefined,
): Promise<Vacuumed> {
  const counted = createCount();
  const tombstone = await deps.catalog.tombstone(id);
  const at = tombstone === undefined ? undefined : (await deps.store.head(tombstone))?.modified;
  const limit = Math.min(before, needs.since);
  const old = at === undefined || at >= limit ? none() : oldObjects(deps.store, `${tablePrefix(id)}/`, limit);
  await removeAll(deps.store, record, fullName(id), counting(without(old, tombstone), counted));
  return { table: fullName(id), kind: 'dropped', ...counted };
}

export type Count = { files: number; bytes: number };

export function createCount(): Count {
  return { files: 0, bytes: 0 };
}

/** Removes and writes down; without a record it only goes through, so that what is counted is counted. */
export async function removeAll(
  store: ObjectStore,
  record: RecordOf | undefined,
  name: string,
  batches: AsyncIterable<readonly string[]>,
): Promise<void> {
  if (record !== undefined) return removeRecorded(store, record, name, batches);
  for await (const _batch of batches);
}

/** Old objects below a prefix, a number at a time. */
export async function* oldObjects(
  store: ObjectStore,
  prefix: string,
  before: number,
  most = MOST_COMPARED,
): AsyncIterable<readonly ObjectInfo[]> {
  let batch: ObjectInfo[] = [];
  for await (const object of store.list(prefix)) {
    if (object.modified >= before || isHidden(object.key.slice(prefix.length))) continue;
    batch.push(object);
    if (batch.length < most) continue;
    yield batch;
    batch = [];
  }
  yield batch;
}

/** By convention no file of a table, unless it is a partition. Source: iceberg.apache.org/docs/latest/spark-procedures/#remove_orphan_files. */
function isHidden(path: string): boolean {
  return path.split('/').some((name) => /^[_.]/.test(name) && !name.includes('='));
}

export async function* counting(
  batches: AsyncIterable<readonly ObjectInfo[]>,
  counted: Count,
): AsyncIterable<readonly string[]> {
  for await (const batch of batches) {
    counted.files += batch.length;
    counted.bytes += batch.reduce((sum, { size }) => sum + size, 0);
    yield batch.map(({ key }) => key);
  }
}

async function* without(
  batches: AsyncIterable<readonly ObjectInfo[]>,
  key: string | undefined,
): AsyncIterable<readonly ObjectInfo[]> {
  for await (const batch of batches) yield batch.filter((object) => object.key !== key);
}

async function* none(): AsyncIterable<readonly ObjectInfo[]> {}

async function* orphansOf(
  deps: MaintainDeps,
  id: TableId,
  before: number,
  needs: Needs,
  counted: Count,
): AsyncIterable<readonly string[]> {
  const found = compared(deps, id, oldObjects(deps.store, `${tablePrefix(id)}/`, before), needs);
  yield* counting(found, counted);
}

async function* compared(
  deps: MaintainDeps,
  id: TableId,
  batches: AsyncIterable<readonly ObjectInfo[]>,
  needs: Needs,
): AsyncIterable<readonly ObjectInfo[]> {
  const { store } = deps;
  for await (const batch of batches) {
    const entry = await loadTable(deps.catalog, id);
    if (batch.length === 0 || entry === undefined) continue;
    requireOwn(id, entry.metadata);
    const left = new Map(batch.map((object) => [store.location(object.key), object]));
    const manifests = await manifestsOf(store, entry.metadata, entry.metadata.snapshots);
    for (const location of namedBy(id, entry, needs, store)) left.delete(location);
    const needed = spelledAlike(store, id, left);
    for (const manifest of manifests) needed.delete(manifest);
    await keepLive(store, entry.metadata, manifests, needed);
    yield [...left.values()];
  }
}

/** Locations that the table's metadata itself names, its log among them, and those by which unfinished runs know it. */
function namedBy(
  id: TableId,
  { metadata, metadataLocation }: CatalogEntry,
  needs: Needs,
  store: ObjectStore,
): readonly string[] {
  const locate = locator(metadata);
  return [
    metadataLocation,
    store.location(`${tablePrefix(id)}/${VERSION_HINT}`),
    ...metadata['metadata-log'].map((entry) => entry['metadata-file']),
    ...metadata.snapshots.map((snapshot) => snapshot['manifest-list']),
    ...statisticsOf(metadata),
    ...needs.locations,
  ].map(locate);
}

function statisticsOf(metadata: TableMetadata): readonly string[] {
  const statistics = [...(metadata.statistics ?? []), ...(metadata['partition-statistics'] ?? [])];
  return statistics.map((one) => one['statistics-path']);
}

/**
 * Takes locations away, and throws for one that names this folder in another way than the store does (`s3a://` for `s3://`): it
 * would be taken for the name of another file.
 */
function spelledAlike(
  store: ObjectStore,
  id: TableId,
  left: Map<string, ObjectInfo>,
): { readonly size: number; delete(location: string): boolean } {
  const folder = store.location(`${tablePrefix(id)}/data`).slice(0, -'data'.length);
  const inside = `/${tablePrefix(id)}/`;
  return {
    // All manifests are looked at, so that every name in them is.
    size: left.size,
    delete(location) {
      if (!location.startsWith(folder) && location.includes(inside)) {
        throw new UnreadableTable(
          `${fullName(id)}: got a file named ${location}; expected names that begin with ${folder}. Nothing was removed, since ` +
            'files that the table names otherwise could not be told from those that it does not name',
        );
      }
      return left.delete(location);
    },
  };
}
