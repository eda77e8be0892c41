import { EngineError } from '../../core/errors.ts';
import { engineOf } from '../../core/implementations.ts';
import type { RunPlan, StageUnit, UnitInput } from '../../core/run.ts';
import type { GoldModel, ModelSpec } from '../../core/spec.ts';
import { sayPlace } from '../../core/sql-place.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { underMarkOrFail } from '../../lake/run/deaths.ts';
import { RECORDING, startMeasuring } from '../../lake/run/measure.ts';
import { ofPipeline } from '../../lake/run/personal-errors.ts';
import { planFor } from '../../lake/run/planned-files.ts';
import { readJson, readJsonIfAny, readLevelPlan, readPlan, runFolder, writeOnce } from '../../lake/run/run-folder.ts';
import { findPlanned, type UnitContext } from '../../lake/run/unit-context.ts';
import { emptyResult, type ShadowResult, type UnitResult } from '../../lake/run/unit-result.ts';
import { findModel } from '../../lake/tables/table-state.ts';
import type { JsonValue } from '../../ports.ts';
import { stageShadow } from '../shadow/stage-shadow.ts';
import { closing } from './close-after.ts';
import { stageByEngine } from './engine/stage-by-engine.ts';
import { stageGold } from './stage-gold.ts';
import { stageSilver } from './stage-silver.ts';
import { stageSurviving } from './stage-surviving.ts';

/**
 * Runs one stage unit and records its result. A unit is idempotent: files get new names on every attempt and only the
 * recorded result counts, so a retry after any failure is safe.
 */
export async function runStage(input: UnitInput, given: StepDeps): Promise<JsonValue> {
  const { run, unit: item } = input;
  const key = runFolder.unitResult(run, item.level, item.unit);
  const before = await readJsonIfAny<UnitResult>(given.store, key);
  if (before !== undefined) return summary(before);
  const measure = startMeasuring(given);
  const whole = await readPlan(given.store, run);
  const deps = ofPipeline(given, whole.spec);
  const unit = await readJson<StageUnit>(deps.store, runFolder.unit(run, item.level, item.unit));
  if (unit.shadow !== undefined) {
    const parity = await stageShadow({ plan: whole, level: item.level, unit }, unit.shadow, deps);
    const done: ShadowResult = { ...emptyResult(unit.unit, unit.model), parity, ...measure(RECORDING) };
    return summary(await writeOnce(deps.store, key, done));
  }
  const planned = findPlanned(await readLevelPlan(deps.store, run, item.level), unit.model);
  const plan = planFor(whole, unit.model);
  const context: UnitContext = { plan, level: item.level, planned, unit };
  const model = closing(findModel(plan.spec, unit.model), whole);
  const result = await sayingPlace(plan, model, () =>
    model.layer === 'silver'
      ? stageSurviving(context, model, (files, within) => stageSilver(files, model, within), deps)
      : computeGold(context, model, deps),
  );
  return summary(await writeOnce(deps.store, key, { ...result, ...measure(RECORDING) }));
}

/** What the engine has against a model's SQL is said with the place in its file. */
async function sayingPlace<T>({ run }: RunPlan, model: ModelSpec, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof EngineError)) throw cause;
    throw new EngineError(sayPlace(run.pipeline, model, cause.message), { cause });
  }
}

/** An engine's worker is not ours, and may outlive many of ours. */
async function computeGold(context: UnitContext, model: GoldModel, deps: StepDeps): Promise<UnitResult> {
  const { plan, level, unit } = context;
  const engine = engineOf(model);
  if (engine !== undefined) return stageByEngine(context, model, engine, deps);
  return underMarkOrFail(
    deps,
    `${unit.unit} of ${model.id}`,
    (attempt) => runFolder.attempt(plan.run, level, unit.unit, attempt),
    () => stageGold(context, model, deps),
  );
}

function summary(result: UnitResult): JsonValue {
  return { unit: result.unit, accepted: result.counts.accepted, files: result.written.length };
}
