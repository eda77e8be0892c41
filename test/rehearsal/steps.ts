/** Steps of a rehearsal with the time each took, and what was found to differ on the way. */
export type Steps = {
  /** Does one thing, says how long it took and what came of it. What it throws is printed and thrown on. */
  step<T>(name: string, act: () => Promise<T>, describe?: (result: T) => string): Promise<T>;
  /** Does one check, which answers every problem that it found; the rehearsal goes on. */
  check(name: string, act: () => Promise<Outcome>): Promise<void>;
  problems(): number;
};

export type Outcome = { readonly problems: readonly string[]; readonly detail?: string };

/** Problems of one check that are printed. */
const SHOWN = 10;

export function createSteps(write: (line: string) => void): Steps {
  let problems = 0;
  const line = (mark: string, since: number, name: string, detail: string): void => {
    const seconds = ((performance.now() - since) / 1000).toFixed(1).padStart(6);
    write(`${mark} ${seconds} s  ${name}${detail === '' ? '' : `: ${detail}`}`);
  };
  return {
    async step(name, act, describe = () => '') {
      const since = performance.now();
      try {
        const result = await act();
        line('    ', since, name, describe(result));
        return result;
      } catch (cause) {
        problems += 1;
        line('FAIL', since, name, cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause));
        throw cause;
      }
    },
    async check(name, act) {
      const since = performance.now();
      const outcome = await act().catch((cause: unknown): Outcome => {
        return { problems: [cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)] };
      });
      problems += outcome.problems.length;
      line(outcome.problems.length === 0 ? 'ok  ' : 'FAIL', since, name, outcome.detail ?? '');
      for (const problem of outcome.problems.slice(0, SHOWN)) write(`               ${problem}`);
      if (outcome.problems.length > SHOWN) write(`               and ${outcome.problems.length - SHOWN} more`);
    },
    problems: () => problems,
  };
}
