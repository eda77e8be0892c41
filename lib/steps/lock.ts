import { InvalidInput, LockHeld } from '../core/errors.ts';
import type { ObjectStore } from '../ports.ts';
import type { LockDeps } from './deps.ts';
import { readJson } from './run-folder.ts';

export type Lock = { readonly run_id: string; readonly holder: string; readonly expires_at: string };

function lockKey(pipeline: string): string {
  return `ops/${pipeline}/lock.json`;
}

/**
 * Takes the pipeline's lock for a run, or renews it. A lock is broken when its lease has ended, or at once when its
 * holder was a process of this machine that is gone. Throws LockHeld naming the holder otherwise.
 */
export async function takeLock(deps: LockDeps, pipeline: string, runId: string): Promise<void> {
  const key = lockKey(pipeline);
  const now = deps.clock.now().getTime();
  const mine = lockOf(deps, runId);
  const bytes = new TextEncoder().encode(JSON.stringify(mine));
  for (;;) {
    const taken = await deps.store.write(key, bytes, { kind: 'absent' });
    if (taken.kind === 'written') return;
    const current = await readLock(deps.store, key);
    if (current === undefined) continue;
    if (!mayTake(current.lock, mine, deps, now)) throw new LockHeld(describeHolder(pipeline, current.lock));
    const replaced = await deps.store.write(key, bytes, { kind: 'match', etag: current.etag });
    if (replaced.kind === 'written') return;
  }
}

/** Makes the lock of one run the lock of another that goes on in its place. */
export async function handOver(deps: LockDeps, pipeline: string, from: string, to: string): Promise<void> {
  await rewrite(deps, pipeline, from, () => lockOf(deps, to));
}

/** Extends the lease of a run's lock; does nothing when the lock is held by another. */
export async function renewLock(deps: LockDeps, pipeline: string, runId: string): Promise<void> {
  await rewrite(deps, pipeline, runId, (lock) =>
    isFresh(lock, deps) ? undefined : { ...lock, expires_at: leaseEnd(deps) },
  );
}

/** Gives the lock back if it is the run's. */
export async function releaseLock(deps: LockDeps, pipeline: string, runId: string): Promise<void> {
  const current = await readLock(deps.store, lockKey(pipeline));
  if (current !== undefined && current.lock.holder === deps.settings.holder(runId)) {
    await deps.store.remove(lockKey(pipeline));
  }
}

function lockOf(deps: LockDeps, runId: string): Lock {
  return { run_id: runId, holder: deps.settings.holder(runId), expires_at: leaseEnd(deps) };
}

function leaseEnd({ clock, settings }: LockDeps): string {
  return new Date(clock.now().getTime() + settings.leaseMs).toISOString();
}

async function rewrite(
  deps: LockDeps,
  pipeline: string,
  runId: string,
  change: (lock: Lock) => Lock | undefined,
): Promise<void> {
  const current = await readLock(deps.store, lockKey(pipeline));
  if (current === undefined || current.lock.holder !== deps.settings.holder(runId)) return;
  const next = change(current.lock);
  if (next === undefined) return;
  const bytes = new TextEncoder().encode(JSON.stringify(next));
  await deps.store.write(lockKey(pipeline), bytes, { kind: 'match', etag: current.etag });
}

/** Of many workers that renew one lock few have to write. */
function isFresh(lock: Lock, { clock, settings }: LockDeps): boolean {
  return Date.parse(lock.expires_at) - clock.now().getTime() > settings.leaseMs * 0.75;
}

function mayTake(lock: Lock, mine: Lock, deps: LockDeps, now: number): boolean {
  return lock.holder === mine.holder || Date.parse(lock.expires_at) <= now || deps.isGone(lock.holder);
}

async function readLock(store: ObjectStore, key: string): Promise<{ lock: Lock; etag: string } | undefined> {
  const info = await store.head(key);
  if (info === undefined) return undefined;
  const lock = await readJson<Lock>(store, key);
  if (typeof lock.run_id !== 'string') throw new InvalidInput(`${key} is no lock; remove it if no run is active`);
  return { lock, etag: info.etag };
}

function describeHolder(pipeline: string, lock: Lock): string {
  return (
    `run ${lock.run_id} holds the lock of pipeline ${pipeline} (holder ${lock.holder}, ` +
    `lease until ${lock.expires_at}); nothing was done, try again when it has ended`
  );
}
