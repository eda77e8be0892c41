import type { StepDeps } from '../steps/deps.ts';
import { renewLock } from '../steps/lock.ts';

/** Three attempts before a lease of 60 s ends. */
export const RENEW_MS = 20_000;

/**
 * Renews the lock of a run, while it holds it, before an action and every so many milliseconds for as long as that takes:
 * a run of many short actions keeps its lock as well as one of a long action. No renewal is under way afterwards.
 */
export async function keepLock<T>(
  deps: StepDeps,
  pipeline: string,
  runId: string,
  act: () => Promise<T>,
  everyMs = RENEW_MS,
): Promise<T> {
  const renew = (): Promise<void> =>
    renewLock(deps, pipeline, runId).catch((cause: unknown) =>
      deps.log.warn('lock not renewed', { cause: String(cause) }),
    );
  await renew();
  let renewed = Promise.resolve();
  const renewal = setInterval(() => {
    renewed = renewed.then(renew);
  }, everyMs);
  try {
    return await act();
  } finally {
    clearInterval(renewal);
    await renewed;
  }
}
