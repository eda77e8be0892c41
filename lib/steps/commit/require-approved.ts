import { AuditFailed } from '../../core/errors.ts';
import type { Approval } from '../../core/promote.ts';
import type { RunPlan } from '../../core/run.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { decidedBy, readGate } from '../../lake/gate/gate-folder.ts';
import { approvalRow, recordApprovals } from '../../lake/gate/record-approval.ts';

/**
 * Who or what let a run through; null for a run that nobody has to. Whichever way led here, nothing is published that has to be approved
 * and is not. Throws AuditFailed then; that it was rejected is in the table of approvals by then.
 */
export async function requireApproved(deps: StepDeps, plan: RunPlan): Promise<Approval | null> {
  const { run, spec } = plan;
  if (spec.promote === undefined || run.dry_run) return null;
  const gate = await readGate(deps.store, run);
  const approval = gate && (await decidedBy(deps.store, run, gate, deps.clock.now()));
  if (approval?.decision === 'approved') return approval;
  if (approval === undefined) {
    throw new AuditFailed(
      `run ${run.run_id} has to be approved, and is not; nothing is published, and the next run takes its files again`,
    );
  }
  await recordApprovals(deps, plan, [approvalRow(run, approval)]);
  throw new AuditFailed(sayRejected(run.run_id, approval));
}

function sayRejected(runId: string, { by, reason, at }: Approval): string {
  return `run ${runId} was rejected by ${by} at ${at}: ${reason}; nothing is published, and the next run takes its files again`;
}
