import type { StepDeps } from '../deps.ts';

/** What can be told of a run that works; where it cannot be, that is a line in the log, and no reason for the run to fail. */
export function toldOf<Told>({ log }: Pick<StepDeps, 'log'>, of: string, tell: () => Told): Told | undefined {
  try {
    return tell();
  } catch (cause) {
    log.warn('facts could not be told', { of, cause: String(cause) });
    return undefined;
  }
}
