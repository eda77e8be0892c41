import { InvalidInput, LockHeld, ObjectNotFound } from '../../core/errors.ts';
import type { HeldRun, RunRef } from '../../core/run.ts';
import type { ObjectStore } from '../../ports.ts';
import type { LockDeps, StepDeps } from '../deps.ts';
import { readOpenRun } from './open-run.ts';
import { swapJson } from './run-folder.ts';

/**
 * The lock of a pipeline: one object that is only ever replaced, on the condition that it is still what was read. Each
 * taking has an epoch, one more than the last; it outlives the release, so that no two holders ever have the same.
 * A run carries its epoch from state to state. What has been overtaken finds another epoch in the lock and stops.
 */
type Lock = { readonly epoch: number } & (
  | { readonly released: true }
  | {
      readonly released?: never;
      readonly run_id: string;
      readonly holder: string;
      readonly expires_at: string;
      /** How long the holder may take between two renewals; earlier releases did not say. */
      readonly lease_ms?: number;
      /** Counts renewals: each changes the object, whatever the holder's clock says. */
      readonly beat: number;
      /** When it was last renewed, for readers of the same boot. */
      readonly renewed?: Moment;
    }
);

/** A run as its lock knows it; without an epoch it goes by its holder. */
export type LockedRun = Omit<HeldRun, 'dry_run' | 'epoch'> & { readonly epoch?: number | undefined };

type TakenLock = Exclude<Lock, { readonly released: true }>;

/** Milliseconds since a boot. */
type Moment = { readonly boot: string; readonly ms: number };

type Seen = { readonly lock: Lock; readonly etag: string };

/** What a taker of the lock needs: it may have to watch for a while. */
export type TakeDeps = LockDeps & Pick<StepDeps, 'wait' | 'log'>;

/** The longest lease that a release without `lease_ms` gave, and the one on a machine. */
const LONGEST_MS = 20 * 60_000;
const USUAL_MS = 60_000;

/** How often a lock is looked at while it is watched. */
const LOOKS = 12;

/** Whose lock: the runs of a pipeline have one, and its maintenance, which works beside them, has another. */
export type Lockable = Pick<RunRef, 'pipeline' | 'kind'>;

function lockKey({ pipeline, kind }: Lockable): string {
  return `ops/${pipeline}/${kind === 'maintenance' ? 'maintenance-lock' : 'lock'}.json`;
}

/**
 * Takes the pipeline's lock for a run and answers the epoch of this taking. A lock is taken away at once from a process
 * of this machine that is gone, and else from a holder that has not renewed it for as long as its lease says. On one
 * machine the time since boot tells that. Clocks of machines differ and jump, so that of others is not read off them:
 * their lock has to be seen unchanged for so long.
 * Throws LockHeld naming the holder otherwise.
 */
export async function takeLock(deps: TakeDeps, run: Lockable & Pick<RunRef, 'run_id'>): Promise<number> {
  for (;;) {
    const seen = await readLock(deps.store, run);
    if (seen !== undefined && !(await isFree(deps, run, seen))) continue;
    // A lock that a person removed is no reason to begin again with epochs that runs may still carry.
    const last = seen?.lock.epoch ?? (await readOpenRun(deps.store, run)).epoch;
    if (await swap(deps.store, run, seen, newLock(deps, run.run_id, last + 1))) return last + 1;
  }
}

/** Whether a run has the lock already, by its holder: a call that took it, and died, is made again. */
export async function hasLock(deps: LockDeps, run: Lockable & Pick<RunRef, 'run_id'>): Promise<boolean> {
  const lock = (await readLock(deps.store, run))?.lock;
  return lock !== undefined && lock.released !== true && lock.holder === deps.settings.holder(run.run_id);
}

/** Makes the lock of one run the lock of another that goes on in its place, under the same epoch. */
export async function handOver(deps: LockDeps, from: HeldRun, runId: string): Promise<void> {
  const outcome = await rewrite(deps, from, (lock) => newLock(deps, runId, lock.epoch));
  if (outcome !== 'kept') throw await lostTo(deps.store, from);
}

/** `lost`: the run had the lock and another has it now. `absent`: it had none. */
export type Renewal = 'kept' | 'lost' | 'absent';

/** Extends the lease of a run's lock. Without an epoch, that of any lock that its holder has. */
export async function renewLock(deps: LockDeps, run: LockedRun): Promise<Renewal> {
  return rewrite(deps, run, (lock) => {
    if (lock.released || isFresh(lock, deps)) return undefined;
    return { ...lock, ...leaseOf(deps), beat: lock.beat + 1 };
  });
}

/** Gives the lock back if it is the run's. */
export async function releaseLock(deps: LockDeps, run: LockedRun): Promise<void> {
  await rewrite(deps, run, (lock) => (lock.released ? undefined : { epoch: lock.epoch, released: true }));
}

/**
 * Throws LockHeld when another has taken the lock since this run did; to be asked before whatever only the holder may
 * do. A run that has given its lock back may still tidy up until another takes it.
 */
export async function requireHeld(deps: LockDeps, run: LockedRun): Promise<void> {
  const seen = await readLock(deps.store, run);
  if (!owns(seen?.lock, deps, run)) throw await lostTo(deps.store, run);
}

/** A run without an epoch was opened by a release that had none: it goes by its holder. */
function owns(lock: Lock | undefined, { settings }: LockDeps, run: LockedRun): boolean {
  if (run.epoch !== undefined) return lock?.epoch === run.epoch;
  return lock === undefined || lock.released === true || lock.holder === settings.holder(run.run_id);
}

function newLock(deps: LockDeps, runId: string, epoch: number): Lock {
  return { epoch, run_id: runId, holder: deps.settings.holder(runId), ...leaseOf(deps), beat: 0 };
}

function leaseOf(deps: LockDeps): Pick<TakenLock, 'expires_at' | 'lease_ms' | 'renewed'> {
  const { leaseMs } = deps.settings;
  const expires_at = new Date(deps.clock.now().getTime() + leaseMs).toISOString();
  const renewed = moment(deps);
  return { expires_at, lease_ms: leaseMs, ...(renewed === undefined ? {} : { renewed }) };
}

function moment({ settings: { boot = '', sinceBoot } }: LockDeps): Moment | undefined {
  return boot === '' || sinceBoot === undefined ? undefined : { boot, ms: sinceBoot() };
}

/** Milliseconds since the last renewal where one clock that does not jump tells both; undefined elsewhere. */
function sinceRenewal({ renewed }: TakenLock, deps: LockDeps): number | undefined {
  const now = moment(deps);
  return now !== undefined && renewed?.boot === now.boot ? now.ms - renewed.ms : undefined;
}

async function rewrite(deps: LockDeps, run: LockedRun, change: (lock: Lock) => Lock | undefined): Promise<Renewal> {
  for (;;) {
    const seen = await readLock(deps.store, run);
    if (!owns(seen?.lock, deps, run)) return run.epoch === undefined ? 'absent' : 'lost';
    if (seen === undefined) return 'absent';
    const next = change(seen.lock);
    if (next === undefined) return seen.lock.released ? 'absent' : 'kept';
    if (await swap(deps.store, run, seen, next)) return 'kept';
  }
}

/** Of many workers that renew one lock few have to write. More than a lease is left only where a clock was put back. */
function isFresh(lock: TakenLock, deps: LockDeps): boolean {
  const { clock, settings } = deps;
  const since = sinceRenewal(lock, deps);
  if (since !== undefined) return since < settings.leaseMs * 0.25;
  const left = Date.parse(lock.expires_at) - clock.now().getTime();
  return left > settings.leaseMs * 0.75 && left <= settings.leaseMs;
}

/** Whether the lock, as it was seen, may be taken; false when it has changed meanwhile. Throws LockHeld for a live holder. */
async function isFree(deps: TakeDeps, run: Lockable & Pick<RunRef, 'run_id'>, seen: Seen): Promise<boolean> {
  const { lock } = seen;
  if (lock.released || lock.holder === deps.settings.holder(run.run_id) || deps.isGone(lock.holder)) return true;
  const since = sinceRenewal(lock, deps);
  if (since !== undefined && since < (lock.lease_ms ?? USUAL_MS)) throw heldBy(run, lock);
  if (since !== undefined) return true;
  const left = Date.parse(lock.expires_at) - deps.clock.now().getTime();
  if (deps.settings.clocksAgree) {
    if (left > 0) throw heldBy(run, lock);
    return true;
  }
  if (left > 0 && left <= (lock.lease_ms ?? LONGEST_MS)) throw heldBy(run, lock);
  const lease = lock.lease_ms ?? USUAL_MS;
  deps.log.info('watching whether a lock is still renewed', { run_id: lock.run_id, seconds: Math.ceil(lease / 1000) });
  for (let look = 0; look < LOOKS; look += 1) {
    await deps.wait(Math.ceil(lease / LOOKS));
    const now = await readLock(deps.store, run);
    if (now === undefined || now.lock.released) return false;
    if (now.etag !== seen.etag) throw heldBy(run, now.lock);
  }
  return true;
}

async function readLock(store: ObjectStore, of: Lockable): Promise<Seen | undefined> {
  try {
    const { bytes, etag } = await store.read(lockKey(of));
    return { lock: parseLock(of, new TextDecoder().decode(bytes)), etag };
  } catch (cause) {
    if (cause instanceof ObjectNotFound) return undefined;
    throw cause;
  }
}

/** Earlier releases wrote neither epoch nor lease. */
function parseLock(of: Lockable, text: string): Lock {
  const { epoch = 0, released, ...rest } = parseObject(text) as Partial<Record<string, unknown>>;
  const { run_id, holder, expires_at, lease_ms, beat, renewed } = rest;
  if (typeof epoch === 'number' && released === true) return { epoch, released };
  if (typeof epoch === 'number' && typeof run_id === 'string' && typeof holder === 'string') {
    const lease = typeof lease_ms === 'number' ? { lease_ms } : {};
    const at = renewed === undefined ? {} : { renewed: renewed as Moment };
    return { epoch, run_id, holder, expires_at: String(expires_at), ...lease, beat: Number(beat ?? 0), ...at };
  }
  throw new InvalidInput(`${lockKey(of)} is no lock; remove it if no run is active`);
}

function parseObject(text: string): object {
  try {
    return Object(JSON.parse(text)) as object;
  } catch {
    return {};
  }
}

function swap(store: ObjectStore, of: Lockable, seen: Seen | undefined, lock: Lock): Promise<boolean> {
  return swapJson(store, lockKey(of), seen?.etag, lock);
}

function heldBy(of: Lockable, lock: Lock): LockHeld {
  const name = nameOf(of);
  if (lock.released) return new LockHeld(`another run has had the lock of ${name}; nothing was done, try again`);
  return new LockHeld(
    `run ${lock.run_id} holds the lock of ${name} (holder ${lock.holder}, ` +
      `lease until ${lock.expires_at}); nothing was done, try again when it has ended`,
  );
}

function nameOf({ pipeline, kind }: Lockable): string {
  return kind === 'maintenance' ? `maintenance of pipeline ${pipeline}` : `pipeline ${pipeline}`;
}

async function lostTo(store: ObjectStore, run: LockedRun): Promise<LockHeld> {
  const lock = (await readLock(store, run))?.lock;
  const other =
    lock === undefined ? 'it was removed' : lock.released ? 'another run took it' : `run ${lock.run_id} took it`;
  return new LockHeld(
    `run ${run.run_id} has lost the lock of ${nameOf(run)}: it was not renewed within its lease, and ${other}. ` +
      'This execution publishes and removes nothing more; the run that holds the lock finishes or undoes what it had begun. Try again when that has ended',
  );
}
