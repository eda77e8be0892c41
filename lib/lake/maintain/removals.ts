import type { ObjectStore } from '../../ports.ts';
import { MOST_REMOVED, removeObjects } from '../../table/remove-objects.ts';
import { swapJson } from '../run/run-folder.ts';

/** Where maintenance keeps what it did: `ops/<pipeline>/_maintenance/<id>/`, with what it has removed in `removed/`. */
export type RecordOf = { readonly pipeline: string; readonly id: string };

export function recordFolder({ pipeline, id }: RecordOf): string {
  return `ops/${pipeline}/_maintenance/${id}`;
}

/**
 * Removes objects in batches of one request each. The keys of each are written down before, so that whatever a process removed before it was
 * killed is known; removing what is gone is no error.
 */
export async function removeRecorded(
  store: ObjectStore,
  record: RecordOf,
  table: string,
  batches: AsyncIterable<readonly string[]>,
): Promise<void> {
  let part = 0;
  for await (const keys of batches) {
    for (let at = 0; at < keys.length; at += MOST_REMOVED) {
      const slice = keys.slice(at, at + MOST_REMOVED);
      part = await writeNext(store, `${recordFolder(record)}/removed/${table}`, part, { keys: slice });
      await removeObjects(store, slice);
    }
  }
}

/** Under the next number that is free: an attempt that was killed may have written some. Answers the one after it. */
async function writeNext(store: ObjectStore, stem: string, from: number, list: object): Promise<number> {
  for (let part = from; ; part += 1) {
    if (await swapJson(store, `${stem}-${String(part).padStart(6, '0')}.json`, undefined, list)) return part + 1;
  }
}
