import type { RunPlan } from '../../core/run.ts';
import type { ModelSpec } from '../../core/spec.ts';
import { isAnew } from '../../lake/tables/table-state.ts';
import { isInTime } from '../../sql/run-date.ts';

export const TOO_LATE = 'TOO_LATE';

/**
 * A model that sets aside what comes too late. Files that are taken again were in time once, so that a backfill and a reprocessing open
 * the books: whoever asks for one decides about what they take.
 */
export function closing<Model extends ModelSpec>(model: Model, plan: Pick<RunPlan, 'anew' | 'withdraw'>): Model {
  if (model.layer !== 'silver' || model.closeAfter === undefined) return model;
  if (isAnew(plan, model.id) || plan.withdraw.length > 0) return model;
  const condition = isInTime(model.closeAfter);
  const rule = { kind: 'row', name: 'closeAfter', policy: 'drop', condition, code: TOO_LATE } as const;
  return { ...model, expect: [...model.expect, rule] };
}
