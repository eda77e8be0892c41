import { mapConcurrent } from '../core/concurrency.ts';
import type { ObjectStore } from '../ports.ts';

/** Objects that one request removes. Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html */
export const MOST_REMOVED = 1_000;

/** Removes objects, by as few requests as the store needs. What fails may have removed any of them. */
export async function removeObjects(store: ObjectStore, keys: readonly string[]): Promise<void> {
  for (let at = 0; at < keys.length; at += MOST_REMOVED) {
    const batch = keys.slice(at, at + MOST_REMOVED);
    if (store.removeAll !== undefined) await store.removeAll(batch);
    else await mapConcurrent(batch, (key) => store.remove(key));
  }
}
