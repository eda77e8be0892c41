import { LockHeld, StrataError } from '../../../core/errors.ts';
import type { RunRef } from '../../../core/run.ts';
import type { StepDeps } from '../../deps.ts';
import type { ChosenPeriod } from './choose-period.ts';
import { noteFailedPeriod } from './failed-periods.ts';

/**
 * Does what opens a run of a chosen period. Where the pipeline as it is refuses that, the period has failed, so that the branch's next run
 * tries it again. It counts as no attempt: a person has to change something first, however often a schedule asks meanwhile. What passes is
 * no refusal, and is tried again by the same execution.
 */
export async function notingRefusal<T>(
  { store, clock }: Pick<StepDeps, 'store' | 'clock'>,
  { pipeline, run_id, dry_run }: RunRef,
  chosen: ChosenPeriod | undefined,
  open: () => Promise<T>,
): Promise<T> {
  try {
    return await open();
  } catch (cause) {
    if (chosen?.kind !== 'period' || dry_run || passes(cause)) throw cause;
    const { name, period, attempt } = chosen.branch;
    const refused = {
      period,
      status: 'FAILED',
      run_id,
      attempts: attempt - 1,
      finished_at: clock.now().toISOString(),
    } as const;
    // The refusal is what there is to tell of, whatever becomes of the note.
    await noteFailedPeriod(store, { pipeline, branch: name }, refused).catch(() => undefined);
    throw cause;
  }
}

function passes(cause: unknown): boolean {
  return cause instanceof StrataError && (cause.retryable || cause instanceof LockHeld);
}
