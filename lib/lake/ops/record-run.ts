import type { RunPlan, RunResult } from '../../core/run.ts';
import type { JsonValue } from '../../ports.ts';
import type { StepDeps } from '../deps.ts';
import { commitOps, makeOpsTables, writeOpsRows } from './ops-tables.ts';

/** One row in the runs table for a run that ended, well or not. */
export async function recordRun(
  deps: StepDeps,
  plan: RunPlan,
  result: Pick<RunResult, 'status' | 'accounting' | 'tables' | 'error'>,
): Promise<void> {
  const now = deps.clock.now();
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);
  const row: { readonly [column: string]: JsonValue } = {
    run_id: plan.run.run_id,
    status: result.status,
    started_at: plan.created_at,
    finished_at: now.toISOString(),
    duration_ms: durationOf(plan, now),
    files: sum(Object.values(plan.sources).map((s) => s.files)),
    rows_read: sum(Object.values(result.accounting).map((c) => c.read)),
    rows_added: sum(Object.values(result.tables).map((t) => t.rows_added)),
    error: result.error === null ? null : `${result.error.name}: ${result.error.message}`,
  };
  await commitOps(deps, plan.run, 'runs', await writeOpsRows(deps, plan, 'runs', [row]));
  // A run that failed has no other books.
  if (result.status === 'FAILED') await makeOpsTables(deps, plan.run);
}

/** Milliseconds that a run has taken up to a moment. */
export function durationOf(plan: RunPlan, now: Date): number {
  return now.getTime() - Date.parse(plan.created_at) + plan.planning_ms;
}
