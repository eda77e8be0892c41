import { setTimeout as sleep } from 'node:timers/promises';
import type { StepDeps } from '../lake/deps.ts';
import type { Engine, JsonValue, Session } from '../ports.ts';

/** Throws the signal's reason as soon as there is one. */
export async function sleepUnless(ms: number, interrupted: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, interrupted === undefined ? {} : { signal: interrupted }).catch((cause: unknown) => {
    interrupted?.throwIfAborted();
    throw cause;
  });
}

/** What steps need, as it stops at the signal. */
export function interruptible(deps: StepDeps, interrupted: AbortSignal): StepDeps {
  return {
    ...deps,
    engine: interruptibleEngine(deps.engine, interrupted),
    wait: (ms) => sleepUnless(ms, interrupted),
    interrupted,
  };
}

/** An engine whose sessions stop in the middle of a statement, and do no further one, once the signal is aborted. */
function interruptibleEngine(engine: Engine, interrupted: AbortSignal): Engine {
  return {
    async open(options) {
      interrupted.throwIfAborted();
      return interruptibleSession(await engine.open(options), interrupted);
    },
  };
}

function interruptibleSession(session: Session, interrupted: AbortSignal): Session {
  const stop = (): void => session.interrupt();
  interrupted.addEventListener('abort', stop);
  const unless = async <T>(act: () => Promise<T>): Promise<T> => {
    interrupted.throwIfAborted();
    try {
      return await act();
    } catch (cause) {
      // A statement that was stopped fails with the engine's own words, which say nothing about the statement.
      interrupted.throwIfAborted();
      throw cause;
    }
  };
  return {
    run: (statement) => unless(() => session.run(statement)),
    rows: (statement) => unless(() => session.rows(statement)),
    describe: (statement) => unless(() => session.describe(statement)),
    copy: (statement) => unless(() => session.copy(statement)),
    parse: (sql) => unless(() => session.parse(sql)),
    interrupt: stop,
    async [Symbol.asyncDispose]() {
      interrupted.removeEventListener('abort', stop);
      await session[Symbol.asyncDispose]();
    },
  };
}

/** Actions that stop at the signal before they begin, and a way to wait for those that have begun. */
type Act = (input: JsonValue) => Promise<JsonValue>;

export type Actions = {
  readonly guardAll: (acts: Readonly<Record<string, Act>>) => Readonly<Record<string, Act>>;
  readonly settled: () => Promise<void>;
};

export function guardActions(interrupted: AbortSignal): Actions {
  const working = new Set<Promise<unknown>>();
  const guard = (act: Act): Act => {
    return async (input) => {
      interrupted.throwIfAborted();
      const work = act(input);
      working.add(work);
      try {
        return await work;
      } finally {
        working.delete(work);
      }
    };
  };
  return {
    guardAll: (acts) => Object.fromEntries(Object.entries(acts).map(([name, act]) => [name, guard(act)])),
    settled: async () => void (await Promise.allSettled([...working])),
  };
}
