import type { StepDeps } from '../steps/deps.ts';
import { renewLock } from '../steps/lock.ts';

/** Three attempts before a lease of 60 s ends. */
export const RENEW_MS = 20_000;

/** Renews a pipeline's lock, while this process holds it, for as long as an action takes. */
export async function keepLock<T>(deps: StepDeps, pipeline: string, runId: string, act: () => Promise<T>): Promise<T> {
  const renewal = setInterval(() => {
    renewLock(deps, pipeline, runId).catch((cause: unknown) =>
      deps.log.warn('lock not renewed', { cause: String(cause) }),
    );
  }, RENEW_MS);
  try {
    return await act();
  } finally {
    clearInterval(renewal);
  }
}
