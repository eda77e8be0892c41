import { LockHeld } from '../../core/errors.ts';
import type { LockDeps, StepDeps } from '../deps.ts';
import { renewLock } from './lock.ts';

/** The share of a lease after which it is renewed: three attempts before it ends. */
const RENEWALS = 3;

/** Whose lock is kept. */
export type KeptRun = {
  readonly pipeline: string;
  readonly run_id: string;
  readonly kind?: 'maintenance';
  /** The epoch under which the run works; undefined while it is being opened, and once it has ended. */
  readonly epoch: () => number | undefined;
};

/**
 * Renews the lock of a run, while it holds it, before an action and every so many milliseconds for as long as that takes:
 * a run of many short actions keeps its lock as well as one of a long action. Once another has taken the lock the signal
 * is aborted, with LockHeld as its reason; what publishes or removes finds that out by itself, the signal saves the work
 * up to there. The signal may be aborted before the action
 * begins. No renewal is under way afterwards.
 */
export async function keepLock<T>(
  deps: LockDeps & Pick<StepDeps, 'log'>,
  run: KeptRun,
  act: (lost: AbortSignal) => Promise<T>,
  everyMs = deps.settings.leaseMs / RENEWALS,
): Promise<T> {
  const loss = new AbortController();
  const renew = async (): Promise<void> => {
    const epoch = run.epoch();
    try {
      const renewed = await renewLock(deps, { ...run, epoch });
      // A run that ended while it was looked at has given the lock back, and has lost nothing.
      if (renewed === 'lost' && run.epoch() === epoch) loss.abort(lossOf(run));
    } catch (cause) {
      deps.log.warn('lock not renewed', { cause: String(cause) });
    }
  };
  await renew();
  let renewed = Promise.resolve();
  const renewal = setInterval(() => {
    renewed = renewed.then(renew);
  }, everyMs);
  try {
    return await act(loss.signal);
  } finally {
    clearInterval(renewal);
    await renewed;
  }
}

function lossOf({ pipeline, run_id }: KeptRun): LockHeld {
  return new LockHeld(
    `run ${run_id} has lost the lock of pipeline ${pipeline}: it was not renewed within its lease, and another run took it. ` +
      'This execution stops; the run that holds the lock finishes or undoes what it had begun. Try again when that has ended',
  );
}
