import { takesEngine } from '../../core/implementations.ts';
import type { RunPlan } from '../../core/run.ts';
import type { ObjectStore } from '../../ports.ts';
import { readJson, runFolder } from '../run/run-folder.ts';
import type { UnitResult } from '../run/unit-record.ts';
import { tableIdOf } from '../tables/table-state.ts';
import { stagedPrefix } from './staging.ts';

/** Keys of all that engines were shown or have written for a run. */
export async function stagedKeys(store: ObjectStore, plan: RunPlan): Promise<readonly string[]> {
  const keys: string[] = [];
  for (const model of plan.spec.models) {
    if (model.layer !== 'gold' || !takesEngine(model, plan.shadows !== undefined)) continue;
    for await (const { key } of store.list(stagedPrefix(tableIdOf(plan.spec, model), plan))) keys.push(key);
  }
  return keys;
}

/** Those of them that are no files of a table: metadata that only the engine was to see, and files of attempts that failed. */
export async function unadoptedKeys(store: ObjectStore, plan: RunPlan): Promise<readonly string[]> {
  const staged = await stagedKeys(store, plan);
  if (staged.length === 0) return [];
  const adopted = new Set<string>();
  for (let level = 0; level < plan.spec.levels.length; level += 1) {
    for await (const { key } of store.list(`${runFolder.level(plan.run, level)}/results/gold.`)) {
      const { written } = await readJson<UnitResult>(store, key);
      for (const file of written) adopted.add(file.key);
    }
  }
  return staged.filter((key) => !adopted.has(key));
}
