import type { BookRow } from '../../core/facts.ts';
import { costOfHours, nameRate, rateOf } from '../../plan/model-cost.ts';
import type { StepDeps } from '../deps.ts';
import { commitOps, makeOpsTables, writeOpsRows } from './ops-tables.ts';
import { durationOf, type RecordedPlan, type RecordedRun, type RunPrice, runRow } from './run-row.ts';

/**
 * One row in the runs table for a run that ended, well or not, which it answers. `others`: rows of runs before it, for which nobody could write
 * to the table when they failed.
 */
export async function recordRun(
  deps: StepDeps,
  plan: RecordedPlan,
  result: RecordedRun,
  others: readonly BookRow[] = [],
): Promise<BookRow> {
  const now = deps.clock.now();
  const row = runRow(plan, { ...result, price: result.price ?? priceOf(deps, plan, now) }, now);
  await commitOps(deps, plan.run, 'runs', await writeOpsRows(deps, plan, 'runs', [...others, row]));
  // A run that failed has no other books.
  if (result.status === 'FAILED') await makeOpsTables(deps, plan.run);
  return row;
}

/** Of a machine of one's own, by the hour; what AWS asks for follows from what was measured. */
function priceOf({ settings }: Pick<StepDeps, 'settings'>, plan: RecordedPlan, now: Date): RunPrice | null {
  const rate = rateOf(settings.billedBy, plan.spec ?? {});
  return rate.kind === 'aws' ? null : { usd: costOfHours(durationOf(plan, now), rate.usd), rate: nameRate(rate) };
}
