import type { StepDeps } from '../deps.ts';
import { commitOps, makeOpsTables, writeOpsRows } from './ops-tables.ts';
import { type RecordedPlan, type RecordedRun, runRow } from './run-row.ts';

/** One row in the runs table for a run that ended, well or not. */
export async function recordRun(deps: StepDeps, plan: RecordedPlan, result: RecordedRun): Promise<void> {
  const row = runRow(plan, result, deps.clock.now());
  await commitOps(deps, plan.run, 'runs', await writeOpsRows(deps, plan, 'runs', [row]));
  // A run that failed has no other books.
  if (result.status === 'FAILED') await makeOpsTables(deps, plan.run);
}
