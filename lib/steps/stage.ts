import type { LevelPlan, ModelPlan, RunPlan, StageUnit, UnitInput } from '../core/run.ts';
import type { JsonValue } from '../ports.ts';
import { rejectFile } from './batch-files.ts';
import type { StepDeps } from './deps.ts';
import { readJson, readJsonIfAny, readLevelPlan, readPlan, runFolder, writeOnce } from './run-folder.ts';
import { stageGold } from './stage-gold.ts';
import { stageSilver } from './stage-silver.ts';
import { findModel } from './table-state.ts';
import { emptyResult, type UnitResult } from './unit-result.ts';

/** What a unit works with. */
export type UnitContext = {
  readonly plan: RunPlan;
  readonly level: number;
  readonly planned: ModelPlan;
  readonly unit: StageUnit;
};

/**
 * Runs one stage unit and records its result. A unit is idempotent: files get new names on every attempt and only the
 * recorded result counts, so a retry after any failure is safe.
 */
export async function runStage(input: UnitInput, deps: StepDeps): Promise<JsonValue> {
  const { run, unit: item } = input;
  const key = runFolder.unitResult(run, item.level, item.unit);
  const before = await readJsonIfAny<UnitResult>(deps.store, key);
  if (before !== undefined) return summary(before);
  const started = deps.clock.now().getTime();
  const plan = await readPlan(deps.store, run);
  const unit = await readJson<StageUnit>(deps.store, runFolder.unit(run, item.level, item.unit));
  const planned = findPlanned(await readLevelPlan(deps.store, run, item.level), unit.model);
  const context: UnitContext = { plan, level: item.level, planned, unit };
  const model = findModel(plan.spec, unit.model);
  const result =
    model.layer === 'silver'
      ? await surviving(deps, context, () => stageSilver(context, model, deps))
      : await stageGold(context, model, deps);
  return summary(await writeOnce(deps.store, key, { ...result, ms: deps.clock.now().getTime() - started }));
}

/** A unit whose worker ended three times without a word is not tried again. */
const MAX_DEATHS = 3;

/**
 * Marks that a worker has begun, and takes the mark away when it says how it ended. Three marks left by workers that
 * never did condemn the unit: its files are rejected, and the run goes on without them.
 */
async function surviving(deps: StepDeps, context: UnitContext, work: () => Promise<UnitResult>): Promise<UnitResult> {
  const { plan, level, unit } = context;
  for (let attempt = 1; attempt <= MAX_DEATHS; attempt += 1) {
    const mark = runFolder.attempt(plan.run, level, unit.unit, attempt);
    const marked = await deps.store.write(mark, new Uint8Array(), { kind: 'absent' });
    if (marked.kind === 'conflict') continue;
    try {
      return await work();
    } finally {
      await deps.store.remove(mark);
    }
  }
  const reason = `a worker that reads this file has ended ${MAX_DEATHS} times without an answer`;
  const files = unit.files.map((file) => rejectFile(file, 'WORKER_KILLED', reason));
  return { ...emptyResult(unit.unit, unit.model), files };
}

export function findPlanned(level: LevelPlan, model: string): ModelPlan {
  const planned = level.models.find((m) => m.model === model);
  if (planned === undefined) throw new RangeError(`level ${level.level} has no plan for ${model}`);
  return planned;
}

function summary(result: UnitResult): JsonValue {
  return { unit: result.unit, accepted: result.counts.accepted, files: result.written.length };
}
