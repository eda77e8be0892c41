import { UnreadableTable } from '../../core/errors.ts';
import { fullName, type TableId, tablePrefix } from '../../core/tables.ts';
import type { Catalog, CatalogEntry, ObjectStore } from '../../ports.ts';
import { loadTable } from '../../table/read.ts';
import { removeObjects } from '../../table/remove-objects.ts';
import { estimateSize, type TableSize } from './table-size.ts';

type DropDeps = { readonly store: ObjectStore; readonly catalog: Catalog };

/** A table as a drop finds it. */
export type Found = {
  readonly id: TableId;
  /** `dropped`: only files are left of it. `damaged`: it is in the catalog, and cannot be read. */
  readonly state: 'there' | 'dropped' | 'damaged';
  readonly size: TableSize | undefined;
  /** Keys of all its files, apart from what says that it was dropped. */
  readonly files: readonly string[];
};

/** Undefined: there is no such table, and no file of it. */
export async function findDroppable(deps: DropDeps, id: TableId): Promise<Found | undefined> {
  const table = await loadIfReadable(deps.catalog, id);
  const files = await filesOf(deps, id);
  if (table === 'damaged') return { id, state: table, size: undefined, files };
  if (table !== undefined) return { id, state: 'there', size: await estimateSize(deps, table.metadata), files };
  return files.length === 0 ? undefined : { id, state: 'dropped', size: undefined, files };
}

async function loadIfReadable(catalog: Catalog, id: TableId): Promise<CatalogEntry | 'damaged' | undefined> {
  try {
    return await loadTable(catalog, id);
  } catch (cause) {
    if (cause instanceof UnreadableTable) return 'damaged';
    throw cause;
  }
}

/** What was done about a table. */
export type Dropped = {
  readonly table: string;
  /** False: it had been dropped before. */
  readonly dropped: boolean;
  /** Null where that is not known any more. */
  readonly rows: number | null;
  readonly bytes: number | null;
  readonly files: number;
  readonly files_removed: number;
};

/**
 * Takes tables out of the catalog and, where their data is to go too, removes their files after that: killed anywhere, a
 * table is there whole or not at all, and what is left of it can be removed the next time. `deps` are those of the
 * holder of the lock.
 */
export async function dropTables(
  deps: DropDeps,
  tables: readonly Found[],
  { data }: { readonly data: boolean },
): Promise<readonly Dropped[]> {
  for (const { id, state } of tables) if (state !== 'dropped') await deps.catalog.drop(id);
  const dropped: Dropped[] = [];
  for (const table of tables) {
    const files = data ? await filesOf(deps, table.id) : [];
    await removeObjects(deps.store, files);
    dropped.push(describeDrop(table, files.length));
  }
  return dropped;
}

export function describeDrop({ id, state, size, files }: Found, removed: number): Dropped {
  return {
    table: fullName(id),
    dropped: state !== 'dropped',
    rows: size?.rows ?? null,
    bytes: size?.bytes ?? null,
    files: files.length,
    files_removed: removed,
  };
}

async function filesOf({ store, catalog }: DropDeps, id: TableId): Promise<readonly string[]> {
  const tombstone = await catalog.tombstone(id);
  const keys: string[] = [];
  for await (const { key } of store.list(`${tablePrefix(id)}/`)) if (key !== tombstone) keys.push(key);
  return keys;
}
