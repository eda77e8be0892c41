import { AuditFailed } from '../../core/errors.ts';
import type { Approval } from '../../core/promote.ts';
import type { RunPlan } from '../../core/run.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { decidedBy, readGate } from '../../lake/gate/gate-folder.ts';

/**
 * Who or what let a run through; null for a run that nobody has to. Whichever way led here, nothing is published that has to be approved
 * and is not. Throws AuditFailed then.
 */
export async function requireApproved(
  { store, clock }: Pick<StepDeps, 'store' | 'clock'>,
  { run, spec }: RunPlan,
): Promise<Approval | null> {
  if (spec.promote === undefined || run.dry_run) return null;
  const gate = await readGate(store, run);
  const approval = gate && (await decidedBy(store, run, gate, clock.now()));
  if (approval?.decision === 'approved') return approval;
  throw new AuditFailed(
    approval === undefined
      ? `run ${run.run_id} has to be approved, and is not; nothing is published, and the next run takes its files again`
      : sayRejected(run.run_id, approval),
  );
}

export function sayRejected(runId: string, { by, reason, at }: Approval): string {
  return `run ${runId} was rejected by ${by} at ${at}: ${reason}; nothing is published, and the next run takes its files again`;
}
