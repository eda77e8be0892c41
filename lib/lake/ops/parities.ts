import type { Parity } from '../../core/parity.ts';
import type { LevelPlan, RunPlan } from '../../core/run.ts';
import type { JsonValue } from '../../ports.ts';
import type { StepDeps } from '../deps.ts';
import { readJson, readJsonIfAny, runFolder } from '../run/run-folder.ts';
import type { ShadowResult } from '../run/unit-record.ts';
import { commitOps, writeOpsRows } from './ops-tables.ts';

/** What a run has found of the texts that it compared; undefined where it was not asked to. */
export async function readParities(deps: StepDeps, plan: RunPlan): Promise<readonly Parity[] | undefined> {
  if (plan.shadows === undefined) return undefined;
  const level = plan.spec.levels.length;
  const planned = await readJsonIfAny<LevelPlan>(deps.store, runFolder.levelPlan(plan.run, level));
  const parities: Parity[] = [];
  for (const unit of planned?.shadows ?? []) {
    const { parity } = await readJson<ShadowResult>(deps.store, runFolder.unitResult(plan.run, level, unit));
    parities.push(parity);
  }
  return parities;
}

/** Enters them into the book of the pipeline, once. */
export async function publishParities(deps: StepDeps, plan: RunPlan): Promise<void> {
  const parities = (await readParities(deps, plan)) ?? [];
  if (parities.length === 0) return;
  await commitOps(deps, plan.run, 'parity', await writeOpsRows(deps, plan, 'parity', parities.map(rowOf(plan))));
}

function rowOf({ run, created_at }: RunPlan): (parity: Parity) => { readonly [column: string]: JsonValue } {
  return ({ sums, ...parity }) => ({
    run_id: run.run_id,
    ...parity,
    sums: JSON.stringify(sums),
    compared_at: created_at,
  });
}
