import type { BookRow } from '../../core/facts.ts';
import { opsTable } from '../../core/ops.ts';
import type { Approval } from '../../core/promote.ts';
import type { RunPlan } from '../../core/run.ts';
import { selectEntered } from '../../sql/gate/approvals.ts';
import { loadTable } from '../../table/read.ts';
import type { StepDeps } from '../deps.ts';
import { openOps } from '../ops/open-ops.ts';
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

/** Of rows that runs before have left to be entered, those that are not: whoever ended one of these may have. */
export async function notEntered(
  deps: StepDeps,
  pipeline: string,
  rows: readonly BookRow[],
): Promise<readonly BookRow[]> {
  if (rows.length === 0) return [];
  const entry = await loadTable(deps.catalog, opsTable(pipeline, 'approvals'));
  await using session = await deps.engine.open(deps.settings);
  await using approvals = await openOps(deps.store, session, 'approvals', entry?.metadata);
  const ids = rows.map((row) => String(row['run_id']));
  const found = await session.rows(selectEntered(approvals.relation, ids));
  const entered = new Set(found.map((row) => row['run_id']));
  return rows.filter((row) => !entered.has(row['run_id']));
}

/** The row of a run that is undone, be it that it was rejected, or approved and has failed; none where nobody decided. */
export async function approvalOf(
  { store }: Pick<StepDeps, 'store'>,
  { run }: Pick<RunPlan, 'run'>,
): Promise<readonly BookRow[]> {
  const approval = run.kind === 'maintenance' ? undefined : await readApproval(store, run);
  return approval === undefined ? [] : [approvalRow(run, approval)];
}
