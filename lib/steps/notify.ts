import type { AfterError } from '../core/run.ts';
import type { Alerts, AuditLog, Clock, JsonValue, Log, ObjectStore } from '../ports.ts';
import { readJson, writeJson } from './run-folder.ts';

export type NotifyDeps = {
  readonly store: ObjectStore;
  readonly alerts: Alerts;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly log: Log;
};

/** Whether a run's alert has gone out; `pending` while it is being sent. */
type AlertMarker = { readonly status: 'pending' | 'sent'; readonly attempt: number };

const LONGEST_SUBJECT = 100;
const LONGEST_CAUSE = 2_000;

/**
 * Sends the one alert of a run. A marker keeps a second path (a retry, an execution that ended twice) from sending it
 * again; a redriven execution that fails again is told again. A held lock is no alert: nothing happened to the run.
 */
export async function runNotify({ state, execution }: AfterError, deps: NotifyDeps): Promise<JsonValue> {
  const pipeline = state.run?.pipeline ?? state.pipeline;
  const runId = state.run?.run_id ?? state.run_id;
  if (pipeline === undefined || runId === undefined || state.error.Error === 'LockHeld') return { alerted: false };
  const attempt = state.failure?.redrives ?? execution.RedriveCount ?? 0;
  const key = `ops/${pipeline}/_alerts/${runId}.json`;
  const pending = { status: 'pending', attempt } as const;
  if (!(await claim(deps.store, key, pending))) return { alerted: false };
  await deps.alerts.publish({
    subject: subjectOf(`Strata: ${pipeline} failed (${state.error.Error})`),
    message: messageOf(pipeline, runId, { state, execution }),
  });
  await writeJson(deps.store, key, { ...pending, status: 'sent' } satisfies AlertMarker);
  await deps.audit.append([
    { at: deps.clock.now(), function: 'notify', event: 'alerted', run_id: runId, detail: state.error.Error },
  ]);
  return { alerted: true };
}

/** A marker that stays pending is of a call that died, or whose message may not have gone out: better twice than never. */
async function claim(store: ObjectStore, key: string, marker: AlertMarker): Promise<boolean> {
  const bytes = new TextEncoder().encode(JSON.stringify(marker));
  if ((await store.write(key, bytes, { kind: 'absent' })).kind === 'written') return true;
  const before = await readJson<AlertMarker>(store, key);
  if (before.status === 'sent' && before.attempt >= marker.attempt) return false;
  await writeJson(store, key, marker);
  return true;
}

function messageOf(pipeline: string, runId: string, { state, execution }: AfterError): string {
  const { Error: error, Cause: cause } = state.error;
  return [
    `Run ${runId} of pipeline ${pipeline} failed.`,
    '',
    `Error: ${error}`,
    `Cause: ${cause.length > LONGEST_CAUSE ? `${cause.slice(0, LONGEST_CAUSE)}...` : cause}`,
    '',
    `Execution: ${execution.Id ?? execution.Name ?? 'unknown'}`,
    `Published: ${state.failure?.undone === false ? 'in part; the next run finishes it first' : 'nothing; every table is as it was before'}`,
    '',
    'What to do: put right what the cause names, then redrive the execution or start a new run (strata run --aws ' +
      `${pipeline}). Files that have landed are not lost: the next run takes them.`,
  ].join('\n');
}

/** SNS takes printable ASCII in a subject, and at most 100 characters of it. */
function subjectOf(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, LONGEST_SUBJECT);
}
