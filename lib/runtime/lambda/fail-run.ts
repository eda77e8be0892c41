import type { AfterError, FailureRecord } from '../../core/failed-run.ts';
import type { RunPlan } from '../../core/run.ts';
import { readPlanIfAny } from '../../lake/run/run-folder.ts';
import type { JsonValue } from '../../ports.ts';
import { type FailDeps, runFail } from '../../steps/end/fail.ts';
import { measureFailure } from './run-metrics.ts';
import type { Invocation } from './telemetry.ts';

/** Ends a run that failed, and judges what is promised by that. That it cannot be judged is a line in the log. */
export async function failRun(
  failed: AfterError,
  deps: FailDeps,
  { log, measure }: Pick<Invocation, 'log' | 'measure'>,
): Promise<JsonValue> {
  const orWarn = async <T>(act: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await act();
    } catch (cause) {
      log.warn('promises could not be judged', { cause: cause instanceof Error ? cause.message : String(cause) });
      return undefined;
    }
  };
  // The plan is gone once the run is undone.
  const plan = await orWarn(() => planOf(failed, deps));
  const answer = await runFail(failed, deps);
  const { lost } = answer as FailureRecord;
  if (plan !== undefined && lost === undefined) await orWarn(() => measureFailure(deps, plan, measure));
  return answer;
}

async function planOf({ state: { run } }: AfterError, { store }: FailDeps): Promise<RunPlan | undefined> {
  return run === undefined || run.kind === 'maintenance' ? undefined : readPlanIfAny(store, run);
}
