import type { RunPlan } from '../../core/run.ts';
import { type TableId, tablePrefix } from '../../core/tables.ts';
import type { ObjectStore } from '../../ports.ts';
import { parsePrepared } from '../../table/prepare.ts';
import { readManifestList } from '../../table/read.ts';
import { stagedKeys, unadoptedKeys } from '../engines/staged-files.ts';
import { readJson, readJsonIfAny, runFolder } from '../run/run-folder.ts';
import type { SettledBooks } from '../run/run-records.ts';
import type { UnitResult } from '../run/unit-result.ts';
import { modelTables } from '../tables/table-state.ts';

/** Removes the files that only the run itself needed: copies of landed files, exchanges, inputs of merges. */
export async function discardWorkFiles(store: ObjectStore, plan: RunPlan): Promise<void> {
  for (const key of await findWorkFiles(store, plan)) await store.remove(key);
}

/** Keys of those files, as far as they are known to have been written. */
export async function findWorkFiles(store: ObjectStore, plan: RunPlan): Promise<readonly string[]> {
  const keys: string[] = [];
  const addAll = async (prefix: string): Promise<void> => {
    for await (const { key } of store.list(prefix)) keys.push(key);
  };
  if (feedsSeveral(plan)) {
    const settled = await readJsonIfAny<SettledBooks>(store, runFolder.settled(plan.run));
    keys.push(...(settled?.replaced ?? []));
  }
  keys.push(...(await unadoptedKeys(store, plan)));
  for (const { name } of plan.spec.sources) await addAll(`${runFolder.copies(plan.run, name)}/`);
  for (let level = 0; level < plan.spec.levels.length; level += 1) {
    await addAll(`${runFolder.level(plan.run, level)}/exchange/`);
    for await (const { key } of store.list(`${runFolder.level(plan.run, level)}/units/merge-`)) {
      const { kind, inputs } = await readJson<{ kind: string; inputs: readonly string[] }>(store, key);
      if (kind === 'compact') keys.push(...inputs);
    }
  }
  return keys;
}

/** Whether tables share a source, so that what they rejected was put together. */
function feedsSeveral({ spec }: RunPlan): boolean {
  const sources = spec.models.flatMap((model) => (model.layer === 'silver' ? [model.from] : []));
  return new Set(sources).size < sources.length;
}

/**
 * Removes everything an unpublished run wrote: data files, prepared snapshots, its folder. The plan goes before what
 * says that the run is being undone: without a plan there is no run to go on with.
 */
export async function discardRun(store: ObjectStore, plan: RunPlan): Promise<void> {
  for (const [id, table] of modelTables(plan.spec)) await discardPrepared(store, plan, id, table);
  const root = runFolder.root(plan.run);
  for await (const { key } of store.list(`${root}/level-`)) {
    if (!key.includes('/results/')) continue;
    const result = await readJson<UnitResult>(store, key);
    const { written, logged, deletes = [], quarantine } = result;
    for (const file of [...written, ...logged, ...deletes, ...quarantine]) await store.remove(file.key);
  }
  for (const key of await stagedKeys(store, plan)) await store.remove(key);
  const settled = await readJsonIfAny<SettledBooks>(store, runFolder.settled(plan.run));
  for (const file of settled?.quarantine ?? []) await store.remove(file.key);
  await store.remove(runFolder.plan(plan.run));
  await removeAll(store, `${root}/`);
}

async function discardPrepared(store: ObjectStore, plan: RunPlan, model: string, table: TableId): Promise<void> {
  const key = runFolder.table(plan.run, model);
  if ((await store.head(key)) === undefined) return;
  const text = new TextDecoder().decode((await store.read(key)).bytes);
  const { metadata, snapshot } = parsePrepared(text, store.location(tablePrefix(table)));
  if (snapshot === undefined) return;
  for (const manifest of await readManifestList(store, metadata, snapshot)) {
    if (manifest.addedSnapshotId === snapshot['snapshot-id']) await store.remove(store.key(manifest.path));
  }
  await store.remove(store.key(snapshot['manifest-list']));
}

async function removeAll(store: ObjectStore, prefix: string): Promise<void> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  for (const key of keys) await store.remove(key);
}
