import type { LevelPlan, ModelPlan, RunPlan, StageUnit } from '../../core/run.ts';

/** What a unit works with. */
export type UnitContext = {
  readonly plan: RunPlan;
  readonly level: number;
  readonly planned: ModelPlan;
  readonly unit: StageUnit;
};

export function findPlanned(level: LevelPlan, model: string): ModelPlan {
  const planned = level.models.find((m) => m.model === model);
  if (planned === undefined) throw new RangeError(`level ${level.level} has no plan for ${model}`);
  return planned;
}
