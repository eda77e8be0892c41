import type { ManifestEntry } from '../iceberg/types.ts';
import type { ObjectStore } from '../ports.ts';

/**
 * Parsed manifests of this process, least recently used first out. Manifests are immutable, so nothing expires; one
 * cache belongs to one store, whose lifetime it shares.
 */
export type ManifestCache = {
  get(key: string): readonly ManifestEntry[] | undefined;
  set(key: string, entries: readonly ManifestEntry[]): void;
};

/** About 2 KB each for a table of thirty columns. */
const MAX_ENTRIES = 20_000;

const caches = new WeakMap<ObjectStore, ManifestCache>();

export function cacheOf(store: ObjectStore): ManifestCache {
  const cache = caches.get(store) ?? createManifestCache(MAX_ENTRIES);
  caches.set(store, cache);
  return cache;
}

/** A cache of at most `maxEntries` manifest entries in total; a manifest larger than that is never kept. */
export function createManifestCache(maxEntries: number): ManifestCache {
  const kept = new Map<string, readonly ManifestEntry[]>();
  let total = 0;
  const forget = (key: string): void => {
    total -= kept.get(key)?.length ?? 0;
    kept.delete(key);
  };
  return {
    get(key) {
      const entries = kept.get(key);
      if (entries === undefined) return undefined;
      // A Map keeps the order of insertion: inserting again makes the key the most recent one.
      kept.delete(key);
      kept.set(key, entries);
      return entries;
    },
    set(key, entries) {
      forget(key);
      if (entries.length > maxEntries) return;
      kept.set(key, entries);
      total += entries.length;
      for (const oldest of kept.keys()) {
        if (total <= maxEntries) break;
        forget(oldest);
      }
    },
  };
}
