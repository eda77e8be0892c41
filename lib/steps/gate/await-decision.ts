import { sayAwaiting } from '../../core/promote.ts';
import type { RunState } from '../../core/run.ts';
import { type Bell, gateFolder, readApproval } from '../../lake/gate/gate-folder.ts';
import type { Alerts, Clock, Log, ObjectStore } from '../../ports.ts';

export type AwaitDeps = {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly alerts: Alerts;
  readonly log: Log;
  /** Wakes an execution that waits; left out where none does. */
  readonly wake?: (token: string) => Promise<void>;
};

export type AwaitInput = {
  readonly state: RunState;
  /** By which whoever decides wakes the execution; left out where it does not wait, but ends. */
  readonly token?: string;
};

/**
 * Puts down by what the execution is woken of a run that waits for a decision, and tells people once. A decision that came before the bell
 * hung wakes it at once.
 */
export async function runAwaitDecision({ state, token }: AwaitInput, deps: AwaitDeps): Promise<RunState> {
  const { run, awaiting } = state;
  if (awaiting === undefined) throw new RangeError(`run ${run.run_id} awaits nothing`);
  if (token !== undefined)
    await deps.store.write(gateFolder.bell(run), encode({ token } satisfies Bell), { kind: 'any' });
  if ((await readApproval(deps.store, run)) !== undefined) {
    if (token !== undefined) await deps.wake?.(token);
    return state;
  }
  // One that goes on waiting, because its execution was another, has been told of.
  if ((await deps.store.head(gateFolder.told(run))) !== undefined) return state;
  const subject = `Strata: ${run.pipeline} awaits approval: strata review ${run.run_id}`;
  await deps.alerts.publish({
    subject: subject.slice(0, LONGEST_SUBJECT),
    message: `${sayAwaiting(run.pipeline, awaiting)}\n`,
  });
  // Better twice than never: what could not be sent is sent by the next attempt.
  await deps.store.write(gateFolder.told(run), encode({ at: deps.clock.now().toISOString() }), { kind: 'any' });
  return state;
}

/** SNS takes no longer one. */
const LONGEST_SUBJECT = 100;

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
