import { InvalidInput, ObjectNotFound } from '../../core/errors.ts';
import type { ObjectStore } from '../../ports.ts';

/**
 * A store for who may list what lies below a prefix, and not a whole bucket: S3 refuses such a caller an object that is not
 * there as one that may not be read. What the list below its own key does not have is missing then.
 * Source: docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html (Permissions)
 */
export function askingLists(store: ObjectStore): ObjectStore {
  const isMissing = async (key: string): Promise<boolean> => {
    for await (const info of store.list(key)) if (info.key === key) return false;
    return true;
  };
  const unlessMissing = async <T>(key: string, cause: unknown, missing: () => T): Promise<T> => {
    if (!(cause instanceof InvalidInput) || !(await isMissing(key).catch(() => false))) throw cause;
    return missing();
  };
  return {
    ...store,
    read: (key) =>
      store.read(key).catch((cause: unknown) =>
        unlessMissing(key, cause, () => {
          throw new ObjectNotFound(`no object at ${store.location(key)}`, { cause });
        }),
      ),
    head: (key, version) =>
      store.head(key, version).catch((cause: unknown) => {
        if (version !== undefined) throw cause;
        return unlessMissing(key, cause, () => undefined);
      }),
  };
}
