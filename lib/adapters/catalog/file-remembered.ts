import type { TableMetadata } from '../../iceberg/types.ts';
import type { ObjectInfo } from '../../ports.ts';

/** Metadata files of this process by what the store tells of them without reading them. */
export type Remembered = {
  get(file: Pick<ObjectInfo, 'key' | 'etag'>): TableMetadata | undefined;
  set(file: Pick<ObjectInfo, 'key' | 'etag'>, metadata: TableMetadata): void;
};

const MOST = 16;

/**
 * The last few metadata files that were read or written. A run loads a table again and again, and a file that names hundreds of
 * snapshots costs more to read than all else that a commit does. Files are written once, and the etag tells one that
 * was put in the place of another.
 */
export function createRemembered(): Remembered {
  const kept = new Map<string, { readonly etag: string; readonly metadata: TableMetadata }>();
  return {
    get: ({ key, etag }) => {
      const found = kept.get(key);
      return found?.etag === etag ? found.metadata : undefined;
    },
    set({ key, etag }, metadata) {
      // A Map keeps the order of insertion.
      kept.delete(key);
      kept.set(key, { etag, metadata });
      const [oldest] = kept.keys();
      if (kept.size > MOST && oldest !== undefined) kept.delete(oldest);
    },
  };
}
