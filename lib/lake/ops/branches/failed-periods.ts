import type { KnownPeriod } from '../../../plan/branches/pending.ts';
import type { ObjectStore } from '../../../ports.ts';
import { readJson, writeJson } from '../../run/run-folder.ts';

/**
 * Notes of periods whose runs have failed, an object for each. The function that ends such a run has no engine on AWS and may not
 * change tables, so that the table of branches cannot be where the next run finds them.
 */
function folderOf(pipeline: string, branch: string): string {
  return `ops/${pipeline}/_branches/${branch}/`;
}

type Noted = { readonly pipeline: string; readonly branch: string; readonly period: string };

function keyOf({ pipeline, branch, period }: Noted): string {
  return `${folderOf(pipeline, branch)}${encodeURIComponent(period)}.json`;
}

export async function noteFailedPeriod(
  store: ObjectStore,
  where: Omit<Noted, 'period'>,
  failed: KnownPeriod,
): Promise<void> {
  await writeJson(store, keyOf({ ...where, period: failed.period }), failed);
}

/** Once the period is in the table of branches. Does nothing where none was noted. */
export async function forgetFailedPeriod(store: ObjectStore, noted: Noted): Promise<void> {
  if ((await store.head(keyOf(noted))) !== undefined) await store.remove(keyOf(noted));
}

export async function readFailedPeriods(
  store: ObjectStore,
  pipeline: string,
  branch: string,
): Promise<readonly KnownPeriod[]> {
  const failed: KnownPeriod[] = [];
  for await (const { key } of store.list(folderOf(pipeline, branch))) failed.push(await readJson(store, key));
  return failed;
}
