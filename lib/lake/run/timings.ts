import type { ModelFacts } from '../../core/facts.ts';
import type { Measured } from '../../core/requests.ts';
import type { RunPlan, StepTiming } from '../../core/run.ts';
import type { StepDeps } from '../deps.ts';
import { addMeasured } from './measure.ts';
import { readLevelPlan } from './run-folder.ts';
import type { LevelAudit } from './run-records.ts';
import { readOutcome } from './unit-result.ts';

type UnitsWork = Pick<ModelFacts, 'staging' | 'merging' | 'units' | 'merge_units'>;

/** What the steps of a run have taken, in their order. */
export async function readTimings(
  deps: StepDeps,
  plan: RunPlan,
  audits: readonly LevelAudit[],
  commit: Measured,
): Promise<readonly StepTiming[]> {
  const opened = { ms: plan.planning_ms, ...(plan.planning_spent === undefined ? {} : { spent: plan.planning_spent }) };
  const steps: StepTiming[] = [timing('Open', null, opened)];
  for (const audit of audits) {
    const { level } = audit;
    const { planning, models } = await workOf(deps, plan, audit);
    steps.push(timing('PlanStage', level, planning));
    // Models without units have no measures that could say where they were taken.
    const staged = models.filter(({ units }) => units > 0);
    if (staged.length > 0) {
      const units = staged.reduce((sum, one) => sum + one.units, 0);
      steps.push(timing('Stage', level, addMeasured(staged.map(({ staging }) => staging)), units));
    }
    if (audit.plan_merge !== undefined) steps.push(timing('PlanMerge', level, audit.plan_merge));
    const merged = models.filter(({ merge_units }) => merge_units > 0);
    if (merged.length > 0) {
      const units = merged.reduce((sum, one) => sum + one.merge_units, 0);
      steps.push(timing('Merge', level, addMeasured(merged.map(({ merging }) => merging)), units));
    }
    steps.push(timing('Audit', level, audit));
  }
  return [...steps, timing('Commit', null, commit)];
}

/** Milliseconds added up over units, which may have worked side by side. Audits of earlier releases do not say them. */
async function workOf(
  deps: StepDeps,
  { run }: RunPlan,
  { level, plan_stage, models }: LevelAudit,
): Promise<{ readonly planning: Measured; readonly models: readonly UnitsWork[] }> {
  if (plan_stage !== undefined) return { planning: plan_stage, models: models.flatMap(({ facts }) => facts ?? []) };
  const planned = await readLevelPlan(deps.store, run, level);
  const found: UnitsWork[] = [];
  for (const model of planned.models) {
    const { staging, merging, merge_units } = await readOutcome(deps, run, level, model);
    found.push({ staging, merging, merge_units, units: model.units.length });
  }
  return { planning: planned, models: found };
}

function timing(step: string, level: number | null, measured: Measured, units = 0): StepTiming {
  const { ms, spent, within } = measured;
  return { step, level, units, ms, ...(spent && { spent }), ...(within && { within }) };
}
