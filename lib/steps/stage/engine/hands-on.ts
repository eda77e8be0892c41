import { engineOf } from '../../../core/implementations.ts';
import type { LevelPlan, RunPlan } from '../../../core/run.ts';
import { findModel } from '../../../lake/tables/table-state.ts';

/** Whether an engine computes a model of the level, which may take longer than one call has. */
export function handsOn({ spec }: Pick<RunPlan, 'spec'>, { models }: Pick<LevelPlan, 'models'>): boolean {
  return models.some(({ model, units }) => {
    const found = findModel(spec, model);
    return found.layer === 'gold' && units.length > 0 && engineOf(found) !== undefined;
  });
}
