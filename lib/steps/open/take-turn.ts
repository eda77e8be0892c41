import { LockHeld } from '../../core/errors.ts';
import type { OpenInput, RunRef } from '../../core/run.ts';
import type { Waiter } from '../../core/waiting.ts';
import { readApproval } from '../../lake/gate/gate-folder.ts';
import { isPlain } from '../../lake/ops/due.ts';
import { markComparison } from '../../lake/ops/marks.ts';
import { hasLock, type TakeDeps, takeLock } from '../../lake/run/lock.ts';
import { findWaiter, leavePlace, type PlaceDeps, takePlace } from '../../lake/run/waiting.ts';

export type Turn = { readonly kind: 'turn'; readonly epoch: number } | Coalesced;

type Coalesced = { readonly kind: 'coalesced'; readonly behind: Waiter };

/**
 * Takes the pipeline's lock for a run. Of executions that nobody watches one waits for all: it has the place of the one that
 * waits until it has the lock, and gives that up before it looks for what is to be done. An execution that finds another in
 * the place ends, since whatever it was started for was marked before, and so before the other looks; also when the lock
 * is free, so that the one that waits is not passed for ever.
 * Throws LockHeld for who has to wait, or may not wait at all.
 */
export async function takeTurn(deps: TakeDeps & PlaceDeps, input: OpenInput): Promise<Turn> {
  const { pipeline, run_id } = input;
  const run: RunRef = { pipeline, run_id, dry_run: input.dry_run };
  const me = waiterOf(input);
  if (me === undefined) return { kind: 'turn', epoch: await takeLock(deps, run) };
  // What a schedule is for is more than a waiting execution that events have started would do.
  if (input.started_by !== 'events') await markComparison(deps.store, pipeline, run_id);
  const before = await findWaiter(deps, pipeline, me);
  // Whoever has the lock already has its turn, and another waits for the next one.
  if (before !== undefined && !(await goesOn(deps, run))) return { kind: 'coalesced', behind: before };
  try {
    const epoch = await takeLock(deps, run);
    await leavePlace(deps, pipeline, me);
    return { kind: 'turn', epoch };
  } catch (cause) {
    if (!(cause instanceof LockHeld)) throw cause;
    const other = await takePlace(deps, pipeline, me);
    if (other === undefined) throw cause;
    return { kind: 'coalesced', behind: other };
  }
}

/** Has the lock, or was woken because it has been decided about: the other waits for that too, and looks less often. */
async function goesOn(deps: TakeDeps, run: RunRef): Promise<boolean> {
  return (await hasLock(deps, run)) || (await readApproval(deps.store, run)) !== undefined;
}

/**
 * Keeps the place of the one that waits for an execution that has had its turn, and must wait all the same; another that has taken the
 * place meanwhile is the answer. To be called before the lock is given up.
 */
export async function keepTurn(deps: PlaceDeps, input: OpenInput): Promise<Waiter | undefined> {
  const me = waiterOf(input);
  return me && (await takePlace(deps, input.pipeline, me));
}

/** A run that a person asked for, or that takes something else than what waits, waits for itself. */
function waiterOf({
  wait,
  started_by,
  execution,
  run_id,
  dry_run,
  select,
  exclude,
  run_date,
  branch,
  ...asked
}: OpenInput) {
  if (wait !== true || started_by === undefined || dry_run) return undefined;
  if (!isPlain(asked) || (select ?? exclude ?? run_date ?? branch) !== undefined) return undefined;
  return { execution: execution ?? run_id, run_id } satisfies Waiter;
}
