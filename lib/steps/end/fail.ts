import { LockHeld, Unavailable } from '../../core/errors.ts';
import type { RunFacts } from '../../core/facts.ts';
import type { AfterError, FailureRecord } from '../../core/failed-run.ts';
import type { HeldRun, RunRef, RunResult } from '../../core/run.ts';
import type { LockDeps, StepDeps } from '../../lake/deps.ts';
import { type StopDeps, stopStatements } from '../../lake/engines/stop-statements.ts';
import { noFacts } from '../../lake/facts/fact-rows.ts';
import { brokenKey, factsKey } from '../../lake/facts/facts-folder.ts';
import { factsOfFailed } from '../../lake/facts/failed-work.ts';
import { discardRun } from '../../lake/files/discard.ts';
import { waitedFor } from '../../lake/gate/gate-folder.ts';
import { approvalOf } from '../../lake/gate/record-approval.ts';
import { putDownEvents } from '../../lake/lineage/untold.ts';
import { discardMaintenance } from '../../lake/maintain/discard-maintenance.ts';
import { readMaintenancePlan } from '../../lake/maintain/maintenance-folder.ts';
import { readSweepPlan, sweepPlaces, sweepRun } from '../../lake/maintain/sweep-plan.ts';
import { failedSweep } from '../../lake/maintain/sweep-result.ts';
import { noteFailedPeriod } from '../../lake/ops/branches/failed-periods.ts';
import { durationOf, type RecordedPlan, recordOf, runRow } from '../../lake/ops/run-row.ts';
import { type Decision, decideToUndo, readDecision } from '../../lake/run/decision.ts';
import { fencedStore } from '../../lake/run/fence.ts';
import { releaseLock, requireHeld } from '../../lake/run/lock.ts';
import { clearOpenRun } from '../../lake/run/open-run.ts';
import { readPlan, runFolder, writeOnce } from '../../lake/run/run-folder.ts';
import { failedResult } from '../../lake/run/run-records.ts';
import { priceOfModels, rateOf } from '../../plan/model-cost.ts';
import type { JsonValue } from '../../ports.ts';

/** What Fail needs: no engine, so that on AWS it is a light function. */
export type FailDeps = LockDeps &
  Pick<StepDeps, 'lineage'> &
  Omit<StopDeps, 'store'> & {
    /** Notes a run that was undone where people look for it. */
    readonly recordFailed: (plan: RecordedPlan, result: RunResult) => Promise<void>;
    /** Present: that is the table of runs. Elsewhere the next run that publishes enters it there. */
    readonly writesTables?: true;
  };

/**
 * Ends a run that failed. Before the first commit the run is undone: nothing was published, its files are removed and
 * the next run plans anew. Once committing has begun it stays open instead, and the next run rolls it forward.
 * Answers `go_on` when a resumed run was undone, which leaves the way free for the run that was asked for.
 */
export async function runFail({ state, execution }: AfterError, deps: FailDeps): Promise<JsonValue> {
  const error = { name: state.error.Error, message: state.error.Cause };
  const redrives = execution.RedriveCount ?? 0;
  deps.log.warn('the run failed', { error: error.name, cause: error.message, run_id: state.run?.run_id ?? null });
  const { run } = state;
  if (run === undefined) {
    const { pipeline, run_id, kind } = state;
    if (pipeline !== undefined && run_id !== undefined && error.name !== 'LockHeld')
      await releaseLock(deps, { pipeline, run_id, ...(kind === undefined ? {} : { kind }) });
    return { redrives } satisfies FailureRecord;
  }
  const swept = sweepOf(state);
  if (swept !== undefined) {
    if (error.name !== 'LockHeld') await noteFailedSweep(deps, swept, error);
    return { run_id: swept.run_id, redrives, swept: true } satisfies FailureRecord;
  }
  const lost = await lossOf(deps, run);
  if (lost !== undefined) return { run_id: run.run_id, redrives, lost } satisfies FailureRecord;
  const undone = await undo({ ...deps, store: fencedStore(deps, run) }, run, error);
  await releaseLock(deps, run);
  const resumed = state.request !== undefined && state.request.run_id !== run.run_id;
  const go_on = undone && resumed ? ({ go_on: true } as const) : {};
  return { run_id: run.run_id, redrives, undone, ...go_on } satisfies FailureRecord;
}

/** The operation of maintenance that failed, where no compaction is under way: it holds no lock any more. */
function sweepOf({ request, status, sweep }: AfterError['state']): RunRef | undefined {
  const [operation] = sweep?.left ?? [];
  if (request === undefined || operation === undefined || status === 'planned') return undefined;
  return sweepRun(request, operation);
}

/** One that had not begun, or only looked, has nothing to be noted; nor has one whose own step has noted it. */
async function noteFailedSweep(deps: FailDeps, run: RunRef, error: { name: string; message: string }): Promise<void> {
  const plan = run.dry_run ? undefined : await readSweepPlan(deps, run);
  if (plan === undefined || (await deps.store.head(sweepPlaces.result(run))) !== undefined) return;
  const result = failedSweep(deps, plan, error);
  await deps.recordFailed(plan, failedResult(run, error, result.duration_ms));
  await writeOnce(deps.store, sweepPlaces.result(run), result);
}

/** What to say of a run that another has overtaken: it is the other's to finish or undo. */
async function lossOf(deps: FailDeps, run: HeldRun): Promise<string | undefined> {
  try {
    await requireHeld(deps, run);
    return undefined;
  } catch (cause) {
    if (cause instanceof LockHeld) return cause.message;
    throw cause;
  }
}

/** False when publishing had begun. */
async function undo(deps: FailDeps, run: HeldRun, error: { name: string; message: string }): Promise<boolean> {
  const decision = { at: deps.clock.now().toISOString(), undo: error };
  if (!(await mayUndo(deps, run, decision))) {
    await keepBroken(deps, run, error);
    return false;
  }
  // Without a plan an earlier attempt at this has come so far.
  if ((await deps.store.head(runFolder.plan(run))) !== undefined) {
    await keepFailed(deps, run, error);
    await notePeriodFirst(deps, run);
    const undone = await discard(deps, run);
    const plan: RecordedPlan = { ...undone, ...(await waitedFor(deps, run)) };
    const failed = failedResult(plan.run, error, durationOf(plan, deps.clock.now()));
    const result = { ...failed, ...(plan.branch && { branch: plan.branch }) };
    if (!plan.run.dry_run) {
      await notePeriod(deps, plan);
      await deps.recordFailed(plan, result);
    }
    await writeOnce(deps.store, runFolder.result(plan.run), result);
  }
  await clearOpenRun(deps.store, run);
  return true;
}

/** The period of a branch that it was for, for the next run of that to try again. */
async function notePeriod({ store, clock }: FailDeps, { run, branch }: RecordedPlan): Promise<void> {
  if (branch === undefined) return;
  const { name, period, attempt } = branch;
  const at = clock.now().toISOString();
  await noteFailedPeriod(
    store,
    { pipeline: run.pipeline, branch: name },
    { period, status: 'FAILED', run_id: run.run_id, attempts: attempt, finished_at: at },
  );
}

/**
 * The same while the plan says which it was: who repeats this after a fault finds none any more, and the period would be one that nobody
 * was for. A disk that is too full for the note is no reason not to make room.
 */
async function notePeriodFirst(deps: FailDeps, run: HeldRun): Promise<void> {
  if (run.kind === 'maintenance' || run.dry_run) return;
  try {
    await notePeriod(deps, await readPlan(deps.store, run));
  } catch (cause) {
    if (!(cause instanceof Unavailable)) throw cause;
  }
}

/** Keeps what the models of a run did, while its folder says it. That it cannot be told must not keep a run from being undone. */
async function keepFailed(deps: FailDeps, run: HeldRun, error: { name: string; message: string }): Promise<void> {
  if (run.kind === 'maintenance' || run.dry_run) return;
  try {
    const plan = await readPlan(deps.store, run);
    const rate = rateOf(deps.settings.billedBy, plan.spec);
    const facts = await factsOfFailed(deps.store, plan, `${error.name}: ${error.message}`, rate);
    const now = deps.clock.now();
    const timed = { ...plan, ...(await waitedFor(deps, run)) };
    const failed = recordOf(plan, failedResult(plan.run, error, durationOf(timed, now)));
    const row = runRow(timed, { ...failed, price: priceOfModels(facts.model_runs, rate) }, now);
    const runs = deps.writesTables === true ? [] : [row];
    const approvals = deps.writesTables === true ? [] : await approvalOf(deps, plan);
    const told = { ...facts, runs, ...(approvals.length === 0 ? {} : { approvals }) };
    await writeOnce(deps.store, factsKey(plan), told satisfies RunFacts);
    await putDownEvents(deps, plan, row, facts);
  } catch (cause) {
    if (cause instanceof LockHeld) throw cause;
    deps.log.warn('the facts of the run could not be kept', { run_id: run.run_id, cause: String(cause) });
  }
}

/**
 * Keeps that publishing has failed, once: the run that goes on with it enters itself as one that succeeded, and nobody would know for how
 * long that was outstanding.
 */
async function keepBroken(deps: FailDeps, run: HeldRun, error: { name: string; message: string }): Promise<void> {
  if (run.kind === 'maintenance' || run.dry_run) return;
  try {
    const plan = await readPlan(deps.store, run);
    const now = deps.clock.now();
    const failed = recordOf(plan, failedResult(plan.run, error, durationOf(plan, now)));
    const facts: RunFacts = { ...noFacts(run.run_id), runs: [runRow(plan, { ...failed, price: null }, now)] };
    await writeOnce(deps.store, brokenKey(plan), facts);
  } catch (cause) {
    if (cause instanceof LockHeld) throw cause;
    deps.log.warn('the failure could not be kept', { run_id: run.run_id, cause: String(cause) });
  }
}

/** Removes what the run wrote, and answers its plan, by which the books know it. */
async function discard(deps: FailDeps, run: HeldRun): Promise<RecordedPlan> {
  const { store } = deps;
  if (run.kind === 'maintenance') {
    const plan = await readMaintenancePlan(store, run);
    await discardMaintenance(store, run);
    return plan;
  }
  const plan = await readPlan(store, run);
  await stopStatements(deps, plan);
  await discardRun(store, plan);
  return plan;
}

/** A disk that is too full for the decision must not keep a run from being undone, which makes room. */
async function mayUndo(deps: FailDeps, run: HeldRun, decision: Required<Decision>): Promise<boolean> {
  try {
    return await decideToUndo(deps.store, run, decision);
  } catch (cause) {
    if (!(cause instanceof Unavailable)) throw cause;
    return (await readDecision(deps.store, run)) === undefined;
  }
}
