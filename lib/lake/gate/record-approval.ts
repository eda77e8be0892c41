import type { BookRow } from '../../core/facts.ts';
import type { Approval } from '../../core/promote.ts';
import type { RunPlan } from '../../core/run.ts';
import type { StepDeps } from '../deps.ts';
import { commitOps, writeOpsRows } from '../ops/ops-tables.ts';
import { readApproval } from './gate-folder.ts';

/** A row of the table of approvals. */
export function approvalRow({ run_id }: { readonly run_id: string }, approval: Approval): BookRow {
  const { decision, by, reason, at, digest } = approval;
  return { run_id, decision, by, reason, at, digest };
}

/** Enters what was decided, once for the run that enters it; nothing where nobody decides, unless somebody did before. */
export async function recordApprovals(
  deps: StepDeps,
  plan: Pick<RunPlan, 'run'> & { readonly spec?: { readonly promote?: unknown } },
  rows: readonly BookRow[],
): Promise<void> {
  if (rows.length === 0 && plan.spec?.promote === undefined) return;
  await commitOps(deps, plan.run, 'approvals', await writeOpsRows(deps, plan, 'approvals', rows));
}

/** The row of a run that is undone, be it that it was rejected, or approved and has failed; none where nobody decided. */
export async function approvalOf(
  { store }: Pick<StepDeps, 'store'>,
  { run }: Pick<RunPlan, 'run'>,
): Promise<readonly BookRow[]> {
  const approval = run.kind === 'maintenance' ? undefined : await readApproval(store, run);
  return approval === undefined ? [] : [approvalRow(run, approval)];
}
