import type { RunPlan } from '../../core/run.ts';
import type { ObjectStore } from '../../ports.ts';

/** What is kept of runs waits here, an object for each, until a run that publishes adds it to the tables. */
export function factsFolder(pipeline: string): string {
  return `ops/${pipeline}/_facts/`;
}

/** In the order of the times at which runs were planned. A run that is begun anew after a failure has another object. */
export function factsKey({ run, created_at }: Pick<RunPlan, 'run' | 'created_at'>): string {
  return `${factsFolder(run.pipeline)}${created_at.replaceAll(/[^0-9A-Za-z]/g, '')}-${run.run_id}.json`;
}

/** Of a run that failed while it published, beside what it leaves once it has. */
export function brokenKey(plan: Pick<RunPlan, 'run' | 'created_at'>): string {
  return factsKey(plan).replace(/\.json$/, '-broken.json');
}

/** Keys of the objects that wait, in order. */
export async function listWaiting(store: Pick<ObjectStore, 'list'>, pipeline: string): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(factsFolder(pipeline))) keys.push(key);
  return keys.sort();
}
