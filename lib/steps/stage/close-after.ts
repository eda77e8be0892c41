import type { RunPlan } from '../../core/run.ts';
import { startOfDayBefore } from '../../core/run-date.ts';
import type { ModelSpec, PipelineSpec, SilverModel } from '../../core/spec.ts';
import type { Sql } from '../../core/sql-text.ts';
import { isAnew } from '../../lake/tables/table-state.ts';
import { isInTime, isSince } from '../../sql/run-date.ts';

export const TOO_LATE = 'TOO_LATE';

/**
 * A model that sets aside what comes too late. Files that are taken again were in time once, so that a backfill and a reprocessing open
 * the books: whoever asks for one decides about what they take.
 */
export function closing<Model extends ModelSpec>(
  model: Model,
  plan: Pick<RunPlan, 'anew' | 'withdraw' | 'spec'>,
): Model {
  if (model.layer !== 'silver' || model.closeAfter === undefined) return model;
  if (isAnew(plan, model.id) || plan.withdraw.length > 0) return model;
  const condition = inTime(model, model.closeAfter, plan.spec);
  const rule = { kind: 'row', name: 'closeAfter', policy: 'drop', condition, code: TOO_LATE } as const;
  return { ...model, expect: [...model.expect, rule] };
}

/** Days are those of the pipeline's zone: an instant is in one of them. */
function inTime(
  { columns }: SilverModel,
  closes: Required<SilverModel>['closeAfter'],
  { timezone, runAt }: Pick<PipelineSpec, 'timezone' | 'runAt'>,
): Sql {
  const { column, days } = closes;
  const isInstant = columns.some(({ name, type }) => name === column && type.kind === 'timestamptz');
  if (!isInstant || timezone === undefined || runAt === undefined) return isInTime(closes);
  return isSince(column, startOfDayBefore(timezone, runAt.date, days).toISOString());
}
