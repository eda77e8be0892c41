import type { RunPlan } from '../core/run.ts';
import { parsePrepared } from '../table/prepare.ts';
import { readManifestList } from '../table/read.ts';
import type { StepDeps } from './deps.ts';
import { readJson, runFolder } from './run-folder.ts';
import { modelTables } from './table-state.ts';
import type { UnitResult } from './unit-result.ts';

/** Removes the files that only the run itself needed: exchanges and inputs of merges. */
export async function discardWorkFiles(deps: StepDeps, plan: RunPlan): Promise<void> {
  for (let level = 0; level < plan.spec.levels.length; level += 1) {
    await removeAll(deps, `${runFolder.level(plan.run, level)}/exchange/`);
    for await (const { key } of deps.store.list(`${runFolder.level(plan.run, level)}/units/merge-`)) {
      const { kind, inputs } = await readJson<{ kind: string; inputs: readonly string[] }>(deps.store, key);
      if (kind === 'compact') for (const input of inputs) await deps.store.remove(input);
    }
  }
}

/** Removes everything an unpublished run wrote: data files, prepared snapshots, its folder. */
export async function discardRun(deps: StepDeps, plan: RunPlan): Promise<void> {
  for (const id of modelTables(plan.spec).keys()) await discardPrepared(deps, plan, id);
  const root = runFolder.root(plan.run);
  for await (const { key } of deps.store.list(`${root}/level-`)) {
    if (!key.includes('/results/')) continue;
    const result = await readJson<UnitResult>(deps.store, key);
    for (const file of [...result.written, ...result.logged, ...result.quarantine]) await deps.store.remove(file.key);
  }
  await removeAll(deps, `${root}/`);
}

async function discardPrepared(deps: StepDeps, plan: RunPlan, model: string): Promise<void> {
  const key = runFolder.table(plan.run, model);
  if ((await deps.store.head(key)) === undefined) return;
  const { snapshot } = parsePrepared(new TextDecoder().decode((await deps.store.read(key)).bytes));
  if (snapshot === undefined) return;
  for (const manifest of await readManifestList(deps.store, snapshot)) {
    if (manifest.addedSnapshotId === snapshot['snapshot-id']) await deps.store.remove(deps.store.key(manifest.path));
  }
  await deps.store.remove(deps.store.key(snapshot['manifest-list']));
}

async function removeAll(deps: StepDeps, prefix: string): Promise<void> {
  const keys: string[] = [];
  for await (const { key } of deps.store.list(prefix)) keys.push(key);
  for (const key of keys) await deps.store.remove(key);
}
