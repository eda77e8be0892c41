import { alertingAlso, createWebhookAlerts } from '../adapters/alerts/webhook.ts';
import type { AfterError, ExecutionContext } from '../core/failed-run.ts';
import type { MaintenanceState, RewriteInput } from '../core/maintenance.ts';
import type { HeldRun, RunState, UnitInput } from '../core/run.ts';
import type { TaskName } from '../core/states.ts';
import type { StepDeps } from '../lake/deps.ts';
import { approvalOf, recordApprovals } from '../lake/gate/record-approval.ts';
import { tellWaiting } from '../lake/lineage/untold.ts';
import { recordPeriod } from '../lake/ops/branches/record-period.ts';
import { recordRun } from '../lake/ops/record-run.ts';
import { recordOf } from '../lake/ops/run-row.ts';
import { fenced } from '../lake/run/fence.ts';
import type { Alerts, JsonValue, Log } from '../ports.ts';
import { runAudit } from '../steps/audit/audit.ts';
import { runCommit } from '../steps/commit/commit.ts';
import { runFail } from '../steps/end/fail.ts';
import { runFinish } from '../steps/end/finish.ts';
import { runNotify } from '../steps/end/notify.ts';
import { runRunFailed } from '../steps/end/run-failed.ts';
import { type AwaitInput, runAwaitDecision } from '../steps/gate/await-decision.ts';
import { runGate } from '../steps/gate/gate.ts';
import { runLevel } from '../steps/level/level.ts';
import { runCommitRewrite } from '../steps/maintain/commit-rewrite.ts';
import { runFinishRewrite } from '../steps/maintain/finish-rewrite.ts';
import { runOpenRewrite } from '../steps/maintain/open-rewrite.ts';
import { runRewrite } from '../steps/maintain/rewrite.ts';
import { runSweep } from '../steps/maintain/sweep.ts';
import { runMerge } from '../steps/merge/merge.ts';
import { runPlanMerge } from '../steps/merge/plan-merge.ts';
import { type OpenInput, runOpen } from '../steps/open/open.ts';
import { runServe } from '../steps/serve/serve.ts';
import { runPlanStage } from '../steps/stage/plan-stage.ts';
import { runStage } from '../steps/stage/stage.ts';
import { counted } from './counted.ts';
import { IN_PASSING, senderTo } from './lineage/teller.ts';
import { askHere } from './send-events.ts';
import type { StateHandler } from './state-machine.ts';

type OpenEvent = { readonly state: OpenInput; readonly execution?: ExecutionContext };

/**
 * The step behind each Task state of statemachines/medallion.asl.json. What a state receives was produced by the state
 * machine itself, whose wiring the tests hold to these types. Each call of a step has counts of its own. `lost` is aborted when another has taken the run's lock.
 */
export function medallionHandlers(
  deps: StepDeps,
  lost?: AbortSignal,
): Readonly<Record<TaskName<'medallion'>, StateHandler>> {
  return {
    Open: (input) => {
      const { state, execution } = input as unknown as OpenEvent;
      return runOpen({ ...state, ...(execution?.Id && { execution: execution.Id }) }, counted(deps));
    },
    Level: whileHeld(deps, lost, runLevel),
    PlanStage: whileHeld(deps, lost, runPlanStage),
    Stage: whileHeld<UnitInput>(deps, lost, runStage),
    PlanMerge: whileHeld(deps, lost, runPlanMerge),
    Merge: whileHeld<UnitInput>(deps, lost, runMerge),
    Audit: whileHeld(deps, lost, runAudit),
    Gate: whileHeld(deps, lost, runGate),
    AwaitDecision: async (input) => {
      const { state } = input as unknown as AwaitInput;
      return runAwaitDecision({ state }, { ...deps, alerts: alertsOf(deps, state.run.pipeline) });
    },
    Commit: whileHeld(deps, lost, runCommit),
    Serve: whileHeld(deps, lost, runServe),
    Finish: async (input) => {
      const answer = await whileHeld(deps, undefined, runFinish)(input);
      await tellLineage(deps, (input as unknown as RunState).run.pipeline);
      return answer;
    },
    Fail: async (input) => {
      const failed = afterError(input);
      const { run } = failed.state;
      // What holds no lock may still note that it failed.
      const held = run?.epoch === undefined ? deps : fenced(deps, run);
      const answer = await runFail(failed, {
        ...deps,
        async recordFailed(plan, result) {
          await recordPeriod(held, plan, 'FAILED');
          await recordRun(held, plan, recordOf(plan, result));
          await recordApprovals(held, { run: plan.run }, await approvalOf(held, plan));
        },
        writesTables: true,
      });
      if (run !== undefined && run.kind !== 'maintenance') await tellLineage(deps, run.pipeline);
      return answer;
    },
    Notify: (input) =>
      runNotify(afterError(input), {
        ...deps,
        alerts: alertsOf(deps, pipelineOf(afterError(input))),
        audit: { append: async () => {} },
      }),
    RunFailed: async (input) => ({ ...(await runRunFailed(afterError(input))) }) as JsonValue,
    // Whoever asked for the run goes on with it in this process.
    MaintainAfter: async () => null,
  };
}

/** The same for the Task states of statemachines/maintenance.asl.json; those behind an error are those of other runs. */
export function maintenanceHandlers(
  deps: StepDeps,
  lost?: AbortSignal,
): Readonly<Record<TaskName<'maintenance'>, StateHandler>> {
  const { Fail, Notify, RunFailed } = medallionHandlers(deps, lost);
  return {
    OpenRewrite: async (input) => runOpenRewrite(input as OpenInput, counted(deps)),
    Rewrite: whileHeld<RewriteInput>(deps, lost, runRewrite),
    CommitRewrite: whileHeld<MaintenanceState>(deps, lost, runCommitRewrite),
    FinishRewrite: whileHeld<MaintenanceState>(deps, undefined, runFinishRewrite),
    // It takes what locks it needs itself.
    Sweep: async (input) => runSweep(input as unknown as MaintenanceState, counted(deps)),
    Fail,
    Notify,
    RunFailed,
  };
}

/** A step that works on a run with what that run may use; it does not begin once the lock is lost. */
function whileHeld<Input extends { readonly run: HeldRun } = RunState>(
  deps: StepDeps,
  lost: AbortSignal | undefined,
  step: (input: Input, deps: StepDeps) => Promise<JsonValue>,
): StateHandler {
  return async (input) => {
    lost?.throwIfAborted();
    const given = input as unknown as Input;
    return step(given, fenced(counted(deps), given.run));
  };
}

/** After the lock is given back: whoever listens may be slow. A pipeline that is not known any more tells nobody. */
async function tellLineage(deps: StepDeps, pipeline: string): Promise<void> {
  const { openlineage } = await deps.specs(pipeline).catch(() => ({ openlineage: undefined }));
  const { secret = async () => undefined } = deps;
  if (openlineage === undefined || deps.lineage === undefined) return;
  await tellWaiting(deps, pipeline, () => senderTo(openlineage, { read: secret, ask: () => askHere(IN_PASSING) }));
}

/** On a laptop the command itself tells a person what failed. */
function toLog(log: Log): Alerts {
  return { publish: async ({ subject, message }) => log.info('alert', { subject, message }) };
}

/** And the webhook of the pipeline, where it has one and is still known. */
function alertsOf(deps: StepDeps, pipeline: string | undefined): Alerts {
  const { log, secret, wait } = deps;
  const known = toLog(log);
  if (pipeline === undefined || secret === undefined) return known;
  const posted: Alerts = {
    async publish(alert) {
      const { alerts } = await deps.specs(pipeline);
      if (alerts !== undefined) await createWebhookAlerts(alerts.webhook, { secret, wait }).publish(alert);
    },
  };
  return alertingAlso(known, posted, log);
}

function pipelineOf({ state }: AfterError): string | undefined {
  return state.run?.pipeline ?? state.pipeline;
}

function afterError(input: JsonValue): AfterError {
  return input as unknown as AfterError;
}
