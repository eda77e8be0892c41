import { type Awaiting, awaitingOf } from '../../core/promote.ts';
import type { HeldRun, OpenInput, RunRef, RunState } from '../../core/run.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { findAwaiting } from '../../lake/gate/gate-folder.ts';
import { releaseLock } from '../../lake/run/lock.ts';
import { keepTurn } from './take-turn.ts';

/** A run that waits for a decision, which another does not overtake. */
export type Awaited = { readonly awaited: Awaiting };

/** An execution that nobody watches has the place of the one that waits, before it gives the lock up. */
export async function leaveWaiting(
  deps: StepDeps,
  run: HeldRun,
  input: OpenInput,
  idle: Omit<RunState, 'status'>,
): Promise<RunState> {
  const other = await keepTurn(deps, input);
  await releaseLock(deps, run);
  return other === undefined ? { status: 'awaiting', ...idle } : { status: 'coalesced', ...idle, behind: other };
}

/** The open run of a pipeline, if it waits. Its own execution goes on with it, and waits anew, as long as its pipeline knows how to. */
export async function findAwaited(
  deps: StepDeps,
  run: RunRef,
  open: RunRef | undefined,
): Promise<Awaiting | undefined> {
  if (open === undefined || open.dry_run) return undefined;
  if (open.run_id === run.run_id && (await deps.specs(run.pipeline)).promote !== undefined) return undefined;
  const gate = await findAwaiting(deps.store, open, deps.clock.now());
  return gate && awaitingOf(gate);
}
