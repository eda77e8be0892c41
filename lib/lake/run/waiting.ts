import { ObjectNotFound } from '../../core/errors.ts';
import type { Waiter } from '../../core/waiting.ts';
import type { ObjectStore } from '../../ports.ts';
import type { LockDeps, StepDeps } from '../deps.ts';
import { swapJson } from './run-folder.ts';

/**
 * The place of the one execution that waits for a pipeline's turn: one object that is only ever replaced, on the condition
 * that it is still what was read. Whoever finds another there may end, because the other gives its place up before it looks
 * for what is to be done.
 */
type Place = { readonly count: number } & (
  | { readonly free: true }
  | (Waiter & { readonly free?: never; readonly expires_at: string })
);

type Seen = { readonly place: Place; readonly etag: string };

export type PlaceDeps = LockDeps & Pick<StepDeps, 'hasEnded' | 'log'>;

function placeKey(pipeline: string): string {
  return `ops/${pipeline}/waiting.json`;
}

/** Another execution that waits and lives; undefined when there is none. */
export async function findWaiter(deps: PlaceDeps, pipeline: string, me: Waiter): Promise<Waiter | undefined> {
  return otherIn(deps, await readPlace(deps.store, pipeline), me);
}

/**
 * Takes the place of the one that waits, or keeps it, unless another has it: then that one is the answer. A place is taken
 * from an execution that has ended, and from one that has not been seen for as long as a lease.
 */
export async function takePlace(deps: PlaceDeps, pipeline: string, me: Waiter): Promise<Waiter | undefined> {
  for (;;) {
    const seen = await readPlace(deps.store, pipeline);
    const other = await otherIn(deps, seen, me);
    if (other !== undefined) return other;
    if (seen !== undefined && isFresh(deps, seen.place, me)) return undefined;
    const expires_at = new Date(deps.clock.now().getTime() + deps.settings.leaseMs).toISOString();
    if (await swap(deps.store, pipeline, seen, { ...me, expires_at })) return undefined;
  }
}

/** Gives up the place, if it is one's own; to be called by the holder of the lock before it looks for what is to be done. */
export async function leavePlace(deps: PlaceDeps, pipeline: string, me: Waiter): Promise<void> {
  for (;;) {
    const seen = await readPlace(deps.store, pipeline);
    if (seen === undefined || seen.place.free || seen.place.execution !== me.execution) return;
    if (await swap(deps.store, pipeline, seen, { free: true })) return;
  }
}

async function otherIn(deps: PlaceDeps, seen: Seen | undefined, me: Waiter): Promise<Waiter | undefined> {
  if (seen === undefined || seen.place.free || seen.place.execution === me.execution) return undefined;
  const { execution, run_id, expires_at } = seen.place;
  if (Date.parse(expires_at) <= deps.clock.now().getTime()) return undefined;
  return (await deps.hasEnded?.(execution)) === true ? undefined : { execution, run_id };
}

/** Who looks every half minute need not write as often. */
function isFresh(deps: PlaceDeps, place: Place, me: Waiter): boolean {
  if (place.free || place.execution !== me.execution) return false;
  return Date.parse(place.expires_at) - deps.clock.now().getTime() > deps.settings.leaseMs / 2;
}

async function readPlace(store: ObjectStore, pipeline: string): Promise<Seen | undefined> {
  try {
    const { bytes, etag } = await store.read(placeKey(pipeline));
    return { place: parsePlace(new TextDecoder().decode(bytes)), etag };
  } catch (cause) {
    if (cause instanceof ObjectNotFound) return undefined;
    throw cause;
  }
}

/** What is damaged is nobody's place. */
function parsePlace(text: string): Place {
  try {
    const { count = 0, execution, run_id, expires_at } = JSON.parse(text) as Partial<Record<string, unknown>>;
    if (typeof execution === 'string' && typeof run_id === 'string' && typeof expires_at === 'string') {
      return { count: Number(count), execution, run_id, expires_at };
    }
    return { count: Number(count), free: true };
  } catch {
    return { count: 0, free: true };
  }
}

type Next = { readonly free: true } | (Waiter & { readonly expires_at: string });

/** The count makes each writing another object, so that none is taken for one that was there before. */
function swap(store: ObjectStore, pipeline: string, seen: Seen | undefined, next: Next): Promise<boolean> {
  return swapJson(store, placeKey(pipeline), seen?.etag, { count: (seen?.place.count ?? 0) + 1, ...next });
}
