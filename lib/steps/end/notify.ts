import { InvalidInput } from '../../core/errors.ts';
import type { AfterError } from '../../core/failed-run.ts';
import type { Alerts, AuditLog, Clock, JsonValue, Log, ObjectStore } from '../../ports.ts';
import { renderAlert } from './alert-text.ts';

export type NotifyDeps = {
  readonly store: ObjectStore;
  readonly alerts: Alerts;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly log: Log;
  readonly wait: (ms: number) => Promise<void>;
};

/** Whether an alert has gone out; `pending` while it is being sent. */
type AlertMarker = { readonly status: 'pending' | 'sent'; readonly attempt: number; readonly at: string };

/** How long another call that is at it is waited for. */
const WAITS = 5;
const WAIT_MS = 2_000;

/**
 * Sends the one alert of a run that failed. A marker keeps a retry, or a second path to the same failure, from sending it
 * again; a redriven execution that fails again is told again. A held lock is no alert, nor one that was lost, whatever error that
 * came out as: nothing happened to the run, which another goes on with.
 * When an execution resumed another run, and failed with it, the alert is that of the run that was asked for, so that each
 * failed execution is told of; the resumed run has its own alert only when the execution goes on without it.
 * An execution that has ended is told of unless its own states have seen to that: a Catch does not see what ends an execution
 * outside of a state's work, such as an output that is too large, a history that is full, or a stop.
 * Throws Unavailable for passing faults, after which it may be called again.
 */
export async function runNotify(failed: AfterError, deps: NotifyDeps): Promise<JsonValue> {
  const { state, execution, ended } = failed;
  const pipeline = state.run?.pipeline ?? state.pipeline;
  const mark = markOf(pipeline, execution);
  if (ended === true && mark !== undefined && (await wasTold(deps.store, mark))) return { alerted: false };
  const answer = await tell(failed, pipeline, deps);
  // One that goes on with the run that was asked for may yet fail, in a way that no state sees.
  const goesOn = ended !== true && state.failure?.go_on === true;
  if (mark !== undefined && !goesOn) await deps.store.write(mark, TOLD, { kind: 'any' });
  return answer;
}

const TOLD = new TextEncoder().encode('told');

/** S3 says that an object is not there only to those who may list: so one is written where there is none. */
async function wasTold(store: ObjectStore, mark: string): Promise<boolean> {
  const begun = await store.write(mark, new TextEncoder().encode('telling'), { kind: 'absent' });
  if (begun.kind === 'written') return false;
  return Buffer.from((await store.read(mark)).bytes).equals(TOLD);
}

/** Says that an execution's failure was told of, or is nothing to tell of; redriven, it may fail again. */
function markOf(pipeline: string | undefined, { Name, RedriveCount = 0 }: AfterError['execution']): string | undefined {
  return pipeline === undefined || Name === undefined
    ? undefined
    : `ops/${pipeline}/_alerts/executions/${Name}-${RedriveCount}`;
}

async function tell(
  { state, execution }: AfterError,
  pipeline: string | undefined,
  deps: NotifyDeps,
): Promise<JsonValue> {
  const runId = alertOf(state);
  if (state.error.Error === 'LockHeld' || state.failure?.lost !== undefined) return { alerted: false };
  if (pipeline === undefined || runId === undefined) {
    throw new InvalidInput('nobody was told of a failure: its state names no pipeline and no run');
  }
  const key = `ops/${pipeline}/_alerts/${runId}.json`;
  const attempt = state.failure?.redrives ?? execution.RedriveCount ?? 0;
  if (!(await claim(deps, key, attempt))) {
    deps.log.info('the alert of this run was sent before', { run_id: runId });
    return { alerted: false };
  }
  const alert = renderAlert({ pipeline, runId, at: deps.clock.now() }, { state, execution });
  await deps.alerts.publish(alert);
  await deps.store.write(key, encode({ status: 'sent', attempt, at: deps.clock.now().toISOString() }), { kind: 'any' });
  await deps.audit.append([
    { at: deps.clock.now(), function: 'notify', event: 'alerted', run_id: runId, detail: alert.subject },
  ]);
  return { alerted: true };
}

function alertOf(state: AfterError['state']): string | undefined {
  const resumed = state.failure?.go_on === true ? state.run?.run_id : undefined;
  return resumed ?? state.request?.run_id ?? state.run?.run_id ?? state.run_id;
}

/**
 * Whether the alert is this call's to send. A marker that stays pending is of a call that died, or whose message may not
 * have gone out: better twice than never.
 */
async function claim(deps: NotifyDeps, key: string, attempt: number): Promise<boolean> {
  const marker = encode({ status: 'pending', attempt, at: deps.clock.now().toISOString() });
  if ((await deps.store.write(key, marker, { kind: 'absent' })).kind === 'written') return true;
  for (let waits = 0; ; waits += 1) {
    const { bytes, etag } = await deps.store.read(key);
    const before = JSON.parse(new TextDecoder().decode(bytes)) as AlertMarker;
    if (before.status === 'sent' && before.attempt >= attempt) return false;
    if (before.status === 'sent' || waits === WAITS) {
      return (await deps.store.write(key, marker, { kind: 'match', etag })).kind === 'written';
    }
    await deps.wait(WAIT_MS);
  }
}

function encode(marker: AlertMarker): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(marker));
}
