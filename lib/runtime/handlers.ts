import type { AfterError, RunState, UnitInput } from '../core/run.ts';
import type { TaskName } from '../core/states.ts';
import type { Alerts, JsonValue, Log } from '../ports.ts';
import { runAudit } from '../steps/audit.ts';
import { runCommit } from '../steps/commit.ts';
import type { StepDeps } from '../steps/deps.ts';
import { runFail } from '../steps/fail.ts';
import { runFinish } from '../steps/finish.ts';
import { runMerge } from '../steps/merge.ts';
import { runNotify } from '../steps/notify.ts';
import { type OpenInput, runOpen } from '../steps/open.ts';
import { runPlanMerge } from '../steps/plan-merge.ts';
import { runPlanStage } from '../steps/plan-stage.ts';
import { recordRun } from '../steps/record-run.ts';
import { runRunFailed } from '../steps/run-failed.ts';
import { runStage } from '../steps/stage.ts';
import type { StateHandler } from './state-machine.ts';

/**
 * The step behind each Task state of statemachines/medallion.asl.json. What a state receives was produced by the state
 * machine itself, whose wiring the tests hold to these types.
 */
export function medallionHandlers(deps: StepDeps): Readonly<Record<TaskName, StateHandler>> {
  return {
    Open: (input) => runOpen(input as OpenInput, deps),
    PlanStage: (input) => runPlanStage(input as RunState, deps),
    Stage: (input) => runStage(input as unknown as UnitInput, deps),
    PlanMerge: (input) => runPlanMerge(input as RunState, deps),
    Merge: (input) => runMerge(input as unknown as UnitInput, deps),
    Audit: (input) => runAudit(input as RunState, deps),
    Commit: (input) => runCommit(input as RunState, deps),
    Finish: (input) => runFinish(input as RunState, deps),
    Fail: (input) =>
      runFail(afterError(input), { ...deps, recordFailed: (plan, result) => recordRun(deps, plan, result) }),
    Notify: (input) =>
      runNotify(afterError(input), { ...deps, alerts: toLog(deps.log), audit: { append: async () => {} } }),
    RunFailed: async (input) => ({ ...(await runRunFailed(afterError(input))) }) as JsonValue,
  };
}

/** On a laptop the command itself tells a person what failed. */
function toLog(log: Log): Alerts {
  return { publish: async ({ subject }) => log.info('alert', { subject }) };
}

function afterError(input: JsonValue): AfterError {
  return input as unknown as AfterError;
}
