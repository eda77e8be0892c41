import type { RunPlan, RunRef, RunResult } from '../core/run.ts';
import type { JsonValue } from '../ports.ts';
import type { StepDeps } from './deps.ts';
import { discardRun } from './discard.ts';
import { recordRun } from './finish.ts';
import { releaseLock } from './lock.ts';
import { openRunKey } from './open.ts';
import { readPlan, runFolder, writeOnce } from './run-folder.ts';

/** A run's state with the error that a Catch put beside it; without `run` when Open itself failed. */
export type FailInput = {
  readonly run?: RunRef;
  readonly pipeline?: string;
  readonly error: { readonly Error: string; readonly Cause: string };
};

/**
 * Ends a run that failed. Before the first commit the run is undone: nothing was published, its files are removed and
 * the next run plans anew. Once committing has begun it stays open instead, and the next run rolls it forward.
 */
export async function runFail(input: FailInput, deps: StepDeps): Promise<JsonValue> {
  const error = { name: input.error.Error, message: input.error.Cause };
  deps.log.warn('the run failed', { error: error.name, cause: error.message, run_id: input.run?.run_id ?? null });
  const { run } = input;
  if (run === undefined) {
    if (input.pipeline !== undefined && error.name !== 'LockHeld') await releaseLock(deps, input.pipeline);
    return { failed: true };
  }
  if ((await deps.store.head(runFolder.committing(run))) === undefined) {
    await undo(deps, await readPlan(deps.store, run), error);
  }
  await releaseLock(deps, run.pipeline);
  return { failed: true, run_id: run.run_id };
}

async function undo(deps: StepDeps, plan: RunPlan, error: { name: string; message: string }): Promise<void> {
  const ms = deps.clock.now().getTime() - Date.parse(plan.created_at) + plan.planning_ms;
  const result = failedResult(plan.run, error, ms);
  await discardRun(deps, plan);
  if (!plan.run.dry_run) await recordRun(deps, plan, result);
  await writeOnce(deps.store, runFolder.result(plan.run), result);
  await deps.store.remove(openRunKey(plan.run.pipeline));
}

export function failedResult(run: RunRef, error: { name: string; message: string }, ms: number): RunResult {
  return {
    run_id: run.run_id,
    pipeline: run.pipeline,
    status: 'FAILED',
    accounting: {},
    rejected_files: [],
    tables: {},
    warnings: [],
    previews: {},
    duration_ms: ms,
    steps: [],
    error,
  };
}
