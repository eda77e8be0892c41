import { ObjectNotFound, StrataError } from '../core/errors.ts';
import { parseMetadataLog } from '../iceberg/json.ts';
import { locator } from '../iceberg/locations.ts';
import { DELETE_AFTER_COMMIT } from '../iceberg/metadata-files.ts';
import type { TableMetadata } from '../iceberg/types.ts';
import type { CatalogEntry, ObjectStore } from '../ports.ts';

/**
 * Removes the metadata files that a table's log names no longer, where the table's properties ask for it, and returns
 * how many. The log of the oldest file that is kept names those before it; they go oldest first, so that what a crash
 * leaves hangs together with what is kept and goes the next time. A passing fault leaves the rest to then.
 * Source: https://iceberg.apache.org/docs/latest/maintenance/#remove-old-metadata-files.
 */
export async function trimMetadata(
  store: ObjectStore,
  { metadata, metadataLocation }: Pick<CatalogEntry, 'metadata' | 'metadataLocation'>,
): Promise<number> {
  if (metadata.properties[DELETE_AFTER_COMMIT] !== 'true') return 0;
  const log = metadata['metadata-log'].map((entry) => entry['metadata-file']);
  const kept = new Set([metadataLocation, ...log]);
  try {
    const older = await filesBefore(store, metadata, log[0], kept);
    for (const key of older.reverse()) await store.remove(key);
    return older.length;
  } catch (cause) {
    if (cause instanceof StrataError) return 0;
    throw cause;
  }
}

/** Keys of the files before one, the newest first, as far back as they are there. */
async function filesBefore(
  store: ObjectStore,
  table: TableMetadata,
  oldest: string | undefined,
  kept: ReadonlySet<string>,
): Promise<string[]> {
  const folder = `${table.location}/metadata/`;
  const locate = locator(table);
  const found = new Map<string, string>();
  for (let at = oldest; at !== undefined; ) {
    const before = (await logOf(store, at))
      .map(locate)
      .filter((location) => !kept.has(location) && !found.has(location));
    at = undefined;
    for (const location of before.reverse()) {
      // Only the table's own: a log may name files of a table that this one was registered from.
      if (!location.startsWith(folder) || !/\.metadata\.json(\.gz)?$/.test(location)) return [...found.values()];
      const key = store.key(location);
      if ((await store.head(key)) === undefined) return [...found.values()];
      found.set(location, key);
      at = location;
    }
  }
  return [...found.values()];
}

async function logOf(store: ObjectStore, location: string): Promise<readonly string[]> {
  try {
    const { bytes } = await store.read(store.key(location));
    return parseMetadataLog(bytes, location);
  } catch (cause) {
    if (cause instanceof ObjectNotFound) return [];
    throw cause;
  }
}
