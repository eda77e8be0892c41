import type { StepDeps } from '../steps/deps.ts';
import { renewLock } from '../steps/lock.ts';

/** Three attempts before a lease of 60 s ends. */
export const RENEW_MS = 20_000;

/** Renews the lock of a run, while it holds it, every so many milliseconds for as long as an action takes. */
export async function keepLock<T>(
  deps: StepDeps,
  pipeline: string,
  runId: string,
  act: () => Promise<T>,
  everyMs = RENEW_MS,
): Promise<T> {
  const renewal = setInterval(() => {
    renewLock(deps, pipeline, runId).catch((cause: unknown) =>
      deps.log.warn('lock not renewed', { cause: String(cause) }),
    );
  }, everyMs);
  try {
    return await act();
  } finally {
    clearInterval(renewal);
  }
}
