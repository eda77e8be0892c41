import { mapConcurrent } from '../../core/concurrency.ts';
import type { ObjectInfo, ObjectStore } from '../../ports.ts';
import { specFolder, specKeyOf } from '../run/run-folder.ts';
import { oldObjects } from './vacuum-table.ts';

/**
 * Compiled pipelines of the months before the one of `forget`, in milliseconds, that no plan needs: none that begins now will need
 * one of them either. `gone` has the runs whose plans go at the same time.
 */
export async function* unneededSpecs(
  store: ObjectStore,
  pipeline: string,
  forget: number,
  gone: ReadonlySet<string>,
): AsyncIterable<readonly ObjectInfo[]> {
  const left = new Map<string, ObjectInfo>();
  for await (const batch of oldObjects(store, specFolder(pipeline), startOfMonth(forget))) {
    for (const object of batch) left.set(object.key, object);
  }
  if (left.size === 0) return;
  const runs = (await store.folders(`ops/${pipeline}/_runs/`)).filter((id) => !gone.has(id));
  await mapConcurrent(runs, async (run_id) => {
    const key = await specKeyOf(store, { pipeline, run_id, dry_run: false });
    if (key !== undefined) left.delete(key);
  });
  yield [...left.values()];
}

function startOfMonth(ms: number): number {
  const date = new Date(ms);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
}
