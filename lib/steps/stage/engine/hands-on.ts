import { engineOf, takesEngine } from '../../../core/implementations.ts';
import type { LevelPlan, RunPlan } from '../../../core/run.ts';
import { findModel } from '../../../lake/tables/table-state.ts';

/** Whether an engine computes a model of the level, which may take longer than one call has. */
export function handsOn(
  { spec }: Pick<RunPlan, 'spec'>,
  { models, shadows = [] }: Pick<LevelPlan, 'models' | 'shadows'>,
): boolean {
  const compared = spec.models.some((model) => model.layer === 'gold' && takesEngine(model, true));
  if (shadows.length > 0 && compared) return true;
  return models.some(({ model, units }) => {
    const found = findModel(spec, model);
    return found.layer === 'gold' && units.length > 0 && engineOf(found) !== undefined;
  });
}
