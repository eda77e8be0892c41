import { isKeyed } from '../../core/keyed.ts';
import type { MergeUnit } from '../../core/merge-unit.ts';
import type { UnitInput } from '../../core/run.ts';
import type { ModelSpec } from '../../core/spec.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { underMarkOrFail } from '../../lake/run/deaths.ts';
import { RECORDING, startMeasuring } from '../../lake/run/measure.ts';
import { ofPipeline } from '../../lake/run/personal-errors.ts';
import { planFor } from '../../lake/run/planned-files.ts';
import { readJson, readJsonIfAny, readLevelPlan, readPlan, runFolder, writeOnce } from '../../lake/run/run-folder.ts';
import { findPlanned, type UnitContext } from '../../lake/run/unit-context.ts';
import { leftBy, readStageResults, type UnitResult, withoutLeft } from '../../lake/run/unit-result.ts';
import { findModel } from '../../lake/tables/table-state.ts';
import type { JsonValue } from '../../ports.ts';
import { combineGold } from './ladder/combine-gold.ts';
import { mergeKeyed } from './merge-keyed.ts';
import { mergeRows } from './merge-rows.ts';

type MergeContext = Pick<UnitContext, 'plan' | 'planned' | 'level'>;

/** Turns staged files into new data files of the table and records what became of the rows. Idempotent as a stage unit. */
export async function runMerge(input: UnitInput, deps: StepDeps): Promise<JsonValue> {
  const { run, unit: item } = input;
  const key = runFolder.unitResult(run, item.level, item.unit);
  const before = await readJsonIfAny<UnitResult>(deps.store, key);
  if (before !== undefined) return { unit: before.unit, accepted: before.counts.accepted };
  const measure = startMeasuring(deps);
  const whole = await readPlan(deps.store, run);
  const unit = await readJson<MergeUnit>(deps.store, runFolder.unit(run, item.level, item.unit));
  const asPlanned = planFor(whole, unit.model);
  const planned = findPlanned(await readLevelPlan(deps.store, run, item.level), unit.model);
  const staged = asPlanned.withdraw.length === 0 ? [] : await readStageResults(deps, run, item.level, planned);
  const plan = withoutLeft(asPlanned, leftBy(planned, staged));
  const model = findModel(plan.spec, unit.model);
  const knowing = ofPipeline(deps, plan.spec);
  const context = { plan, planned, level: item.level };
  const marks = (attempt: number): string => runFolder.attempt(run, item.level, item.unit, attempt);
  const result = await underMarkOrFail(deps, `${unit.unit} of ${model.id}`, marks, () =>
    mergeUnit(context, unit, model, knowing),
  );
  const recorded = await writeOnce(deps.store, key, { ...result, ...measure(RECORDING) });
  return { unit: recorded.unit, accepted: recorded.counts.accepted };
}

function mergeUnit(context: MergeContext, unit: MergeUnit, model: ModelSpec, deps: StepDeps): Promise<UnitResult> {
  if (model.layer === 'gold') {
    if (unit.kind !== 'combine')
      throw new RangeError(`${unit.unit}: ${model.id} is gold, of which buckets are combined`);
    return combineGold(context, unit, model, deps);
  }
  return unit.kind === 'keyed' && isKeyed(model)
    ? mergeKeyed(context, unit, model, deps)
    : mergeRows(context, unit, model, deps);
}
