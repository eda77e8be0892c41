import { InvalidInput, LockHeld } from '../core/errors.ts';
import type { ObjectStore } from '../ports.ts';
import type { StepDeps } from './deps.ts';
import { readJson } from './run-folder.ts';

export type Lock = { readonly run_id: string; readonly holder: string; readonly expires_at: string };

/** A lock not renewed for this long is free for anyone. */
export const LEASE_MS = 60_000;

function lockKey(pipeline: string): string {
  return `ops/${pipeline}/lock.json`;
}

/**
 * Takes the pipeline's lock for a run, or renews it. A lock is broken when its lease has ended, or at once when its
 * holder was a process of this machine that is gone. Throws LockHeld naming the holder otherwise.
 */
export async function takeLock(deps: StepDeps, pipeline: string, runId: string): Promise<void> {
  const key = lockKey(pipeline);
  const now = deps.clock.now().getTime();
  const mine: Lock = {
    run_id: runId,
    holder: deps.settings.holder,
    expires_at: new Date(now + LEASE_MS).toISOString(),
  };
  const bytes = new TextEncoder().encode(JSON.stringify(mine));
  for (;;) {
    const taken = await deps.store.write(key, bytes, { kind: 'absent' });
    if (taken.kind === 'written') return;
    const current = await readLock(deps.store, key);
    if (current === undefined) continue;
    if (!mayTake(current.lock, deps, now)) throw new LockHeld(describeHolder(pipeline, current.lock));
    const replaced = await deps.store.write(key, bytes, { kind: 'match', etag: current.etag });
    if (replaced.kind === 'written') return;
  }
}

/** Extends the lease of a lock that this process holds; does nothing when it holds none. */
export async function renewLock(deps: StepDeps, pipeline: string): Promise<void> {
  const current = await readLock(deps.store, lockKey(pipeline));
  if (current === undefined || current.lock.holder !== deps.settings.holder) return;
  const expires_at = new Date(deps.clock.now().getTime() + LEASE_MS).toISOString();
  const bytes = new TextEncoder().encode(JSON.stringify({ ...current.lock, expires_at }));
  await deps.store.write(lockKey(pipeline), bytes, { kind: 'match', etag: current.etag });
}

/** Gives the lock back if this process holds it. */
export async function releaseLock(deps: StepDeps, pipeline: string): Promise<void> {
  const current = await readLock(deps.store, lockKey(pipeline));
  if (current !== undefined && current.lock.holder === deps.settings.holder) {
    await deps.store.remove(lockKey(pipeline));
  }
}

function mayTake(lock: Lock, deps: StepDeps, now: number): boolean {
  const { holder } = deps.settings;
  return lock.holder === holder || Date.parse(lock.expires_at) <= now || deps.isGone(lock.holder);
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
