import { LockHeld, StrataError } from '../../core/errors.ts';
import type { MaintenanceState } from '../../core/maintenance.ts';
import type { RunRef } from '../../core/run.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { LEAST_RETENTION_MS, planSweep, type SweepPlan, sweepRun } from '../../lake/maintain/sweep-plan.ts';
import { endFailedSweep, endSweep, readSweepResult, sweptBy } from '../../lake/maintain/sweep-result.ts';
import { type SweepOutcome, sweepTables } from '../../lake/maintain/sweep-tables.ts';
import { fenced } from '../../lake/run/fence.ts';
import { keepLock } from '../../lake/run/keep-lock.ts';
import { releaseLock, takeLock } from '../../lake/run/lock.ts';

/** Tables that a state has room for. */
const MOST_DESCRIBED = 200;

/**
 * Does the first operation that is left: forgets old snapshots, or removes what nothing needs, table by table. Where time
 * is up before the last table it answers the state as it was, and is called again. Each operation is a run of its own,
 * which may be repeated anywhere. Throws LockHeld where less than a week is forced and a run works.
 */
export async function runSweep(state: MaintenanceState, deps: StepDeps): Promise<MaintenanceState> {
  const { sweep, ...rest } = state;
  const [operation, ...left] = sweep?.left ?? [];
  if (operation === undefined) return rest;
  const next: MaintenanceState = left.length === 0 ? rest : { ...rest, sweep: { left } };
  const run = sweepRun(state.request, operation);
  if (!run.dry_run && (await readSweepResult(deps, run)) !== undefined) return next;
  const plan = await planSweep(deps, state.request, operation);
  const outcomes = await sweepAll(deps, plan).catch((cause: unknown) => noteFailure(deps, plan, cause));
  if (outcomes === undefined) return state;
  if (run.dry_run) return { ...next, swept: sweptBy(state.swept, plan, outcomes.slice(0, MOST_DESCRIBED)) };
  await endSweep(deps, plan, outcomes);
  return next;
}

/**
 * What is tried again, or waits for its turn, has not failed yet. Whatever becomes of the note, the error is the one to tell of.
 */
async function noteFailure(deps: StepDeps, plan: SweepPlan, cause: unknown): Promise<never> {
  const passing = cause instanceof StrataError && (cause.retryable || cause instanceof LockHeld);
  if (!(cause instanceof Error) || passing || plan.run.dry_run) throw cause;
  const error = { name: cause.name, message: cause.message };
  await endFailedSweep(deps, plan, error).catch((again: unknown) => {
    deps.log.warn('the table of runs could not be written', { cause: String(again) });
  });
  throw cause;
}

/** Acts under the pipeline's locks where what was needed a moment ago may go, and beside its runs otherwise. */
function sweepAll(deps: StepDeps, plan: SweepPlan): Promise<readonly SweepOutcome[] | undefined> {
  const { run, asked } = plan;
  if (run.dry_run || (asked.older_than_ms ?? LEAST_RETENTION_MS) >= LEAST_RETENTION_MS) return sweepTables(deps, plan);
  const { pipeline, run_id, dry_run } = run;
  // No run and no compaction is at work.
  return underLock(deps, { pipeline, run_id, dry_run }, (held) =>
    underLock(held, run, (both) => sweepTables(both, plan)),
  );
}

async function underLock<T>(deps: StepDeps, of: RunRef, act: (held: StepDeps) => Promise<T>): Promise<T> {
  return keepLock(deps, { ...of, epoch: () => undefined }, async () => {
    const run = { ...of, epoch: await takeLock(deps, of) };
    try {
      return await act(fenced(deps, run));
    } finally {
      await releaseLock(deps, run);
    }
  });
}
