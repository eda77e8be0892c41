import type { MaintenanceResult, MaintenanceState } from '../core/maintenance.ts';
import type { StepDeps } from '../lake/deps.ts';
import { checkRunId, readJson, readJsonIfAny, runFolder } from '../lake/run/run-folder.ts';
import type { JsonValue } from '../ports.ts';
import type { CompactionAnswer, CompactionRequest } from '../remote/compaction.ts';
import { defaultRunId, executeRun } from './execute-run.ts';
import { maintenanceHandlers } from './handlers.ts';

/** Runs the maintenance of a pipeline in this process, which finishes an unfinished run of it first. */
export async function compactTables(deps: StepDeps, request: CompactionRequest): Promise<CompactionAnswer> {
  const { pipeline, dryRun = false, compact, interrupted, onEvent, retryIntervalMs } = request;
  const runId = checkRunId(request.runId ?? defaultRunId(deps));
  await deps.specs(pipeline);
  const run = { pipeline, run_id: runId, kind: 'maintenance' as const };
  const { outcome, opened, failure } = await executeRun(deps, {
    machine: 'maintenance',
    handlers: maintenanceHandlers,
    opens: 'OpenRewrite',
    ends: ['FinishRewrite', 'Fail'],
    input: { ...run, dry_run: dryRun, compact: { ...compact } as { readonly [field: string]: JsonValue } },
    run,
    ...(interrupted === undefined ? {} : { interrupted }),
    ...(onEvent === undefined ? {} : { onEvent }),
    ...(retryIntervalMs === undefined ? {} : { retryIntervalMs }),
  });
  if (outcome.status === 'FAILED') {
    const lost = failure?.failure?.lost;
    if (lost !== undefined) return { kind: 'locked', message: lost };
    const { Error: name, Cause: message } = failure?.error ?? { Error: outcome.error, Cause: outcome.cause };
    if (name === 'LockHeld') return { kind: 'locked', message };
    return failed(deps, { ...run, run_id: opened, dry_run: dryRun }, { name, message });
  }
  return answerOf(deps, outcome.output as unknown as MaintenanceState);
}

async function answerOf(deps: StepDeps, state: MaintenanceState): Promise<CompactionAnswer> {
  if (state.plan !== undefined) return { kind: 'planned', tables: state.plan, cost: state.cost ?? null };
  if (state.status === 'nothing') return { kind: 'nothing' };
  return { kind: 'ended', result: await readJson<MaintenanceResult>(deps.store, runFolder.result(state.run)) };
}

async function failed(
  deps: StepDeps,
  run: MaintenanceState['run'],
  error: NonNullable<MaintenanceResult['error']>,
): Promise<CompactionAnswer> {
  const { pipeline, run_id } = run;
  const recorded = await readJsonIfAny<{ readonly duration_ms: number }>(deps.store, runFolder.result(run));
  const nothing = { tables: [], left: [], rounds: 0, duration_ms: recorded?.duration_ms ?? 0 };
  return { kind: 'ended', result: { run_id, pipeline, kind: 'compact', status: 'FAILED', ...nothing, error } };
}
