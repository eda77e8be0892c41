import { isKeyed } from '../../core/keyed.ts';
import type { MergeUnit } from '../../core/merge-unit.ts';
import type { ModelPlan, RunPlan, RunState } from '../../core/run.ts';
import type { SilverModel } from '../../core/spec.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { startMeasuring } from '../../lake/run/measure.ts';
import { planFor } from '../../lake/run/planned-files.ts';
import { readLevelPlan, readPlan, runFolder, writeJson, writeOnce } from '../../lake/run/run-folder.ts';
import type { Placed } from '../../lake/run/unit-result.ts';
import { readStageResults, stagedFiles, type UnitResult } from '../../lake/run/unit-result.ts';
import { findModel } from '../../lake/tables/table-state.ts';
import { packExchange, packSmallFiles } from '../../plan/merge-units.ts';
import { unitSettings } from '../../plan/stage-units.ts';
import { planCombine } from './ladder/plan-combine.ts';
import { planKeyedMerge } from './plan-keyed-merge.ts';

/**
 * Sees what staging produced and plans its merge: one unit per few buckets of an exchange, or per group of small files
 * of one partition. A model that was staged by one unit, or in large files, needs none.
 */
export async function runPlanMerge(state: RunState, deps: StepDeps): Promise<RunState> {
  const { run, level } = state;
  const measure = startMeasuring(deps);
  const plan = await readPlan(deps.store, run);
  const levelPlan = await readLevelPlan(deps.store, run, level);
  const units: MergeUnit[] = [];
  for (const planned of levelPlan.models) {
    const results = await readStageResults(deps, run, level, planned);
    units.push(...(await planUnits(deps, planFor(plan, planned.model), level, planned, results)));
  }
  for (const unit of units) await writeOnce(deps.store, runFolder.unit(run, level, unit.unit), unit);
  const units_key = runFolder.mergeUnits(run, level);
  await writeJson(
    deps.store,
    units_key,
    units.map(({ unit }) => ({ level, unit })),
  );
  return { ...state, merge: { units_key, count: units.length, ...measure() } };
}

async function planUnits(
  deps: StepDeps,
  plan: RunPlan,
  level: number,
  planned: ModelPlan,
  results: readonly UnitResult[],
): Promise<readonly MergeUnit[]> {
  if (planned.check) return [];
  const model = findModel(plan.spec, planned.model);
  if (isKeyed(model)) return planKeyedMerge(deps, plan, level, planned, model, results);
  if (model.layer === 'gold') return planCombine(plan, planned, results);
  if (planned.output === 'exchange') return planDedupe(plan, model, results);
  return planned.units.length < 2 ? [] : planCompaction(plan, model, stagedFiles(planned, results));
}

/** Buckets joined, in order, until a unit holds as much as a merge takes. */
function planDedupe(plan: RunPlan, model: SilverModel, results: readonly UnitResult[]): readonly MergeUnit[] {
  const byBucket = Map.groupBy(
    results.flatMap((r) => r.exchanged),
    (placed) => placed.written.partition[0]?.value ?? '',
  );
  const buckets = [...byBucket.values()].map((files) => ({
    files,
    bytes: files.reduce((sum, file) => sum + file.written.bytes, 0),
  }));
  return packExchange(buckets, unitSettings(plan)).map((group, i) =>
    mergeUnit(
      model,
      'dedupe',
      i,
      group.flatMap(({ files }) => files),
    ),
  );
}

function planCompaction(plan: RunPlan, model: SilverModel, files: readonly Placed[]): readonly MergeUnit[] {
  const sized = files.map((file) => ({
    file,
    bytes: file.written.bytes,
    partition: JSON.stringify(file.written.partition.map((p) => p.value)),
  }));
  const groups = packSmallFiles(sized, plan.spec.settings.fileBytes);
  return groups.map((group, i) =>
    mergeUnit(
      model,
      'compact',
      i,
      group.map((g) => g.file),
    ),
  );
}

function mergeUnit(
  model: SilverModel,
  kind: 'dedupe' | 'compact',
  ordinal: number,
  files: readonly Placed[],
): MergeUnit {
  return {
    unit: `merge-${model.id}-${String(ordinal).padStart(5, '0')}`,
    model: model.id,
    kind,
    inputs: files.map((f) => f.key),
  };
}
