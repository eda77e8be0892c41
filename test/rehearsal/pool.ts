import { randomUUID } from 'node:crypto';
import { type Environment, type LambdaAnswer, startEnvironment } from './environment.ts';
import type { LambdaFunction } from './function.ts';

export type PoolOptions = {
  /** For logs and for what environments write. */
  readonly folder: string;
  /** Variables of an environment besides its function's: credentials that tell it from others, endpoint, region. */
  readonly account: (environmentId: string) => Readonly<Record<string, string>>;
  /** Calls at once in all: what a new account has, by default. */
  readonly concurrency?: number;
};

/** What became of the calls of one function. */
export type Usage = {
  readonly calls: number;
  readonly environments: number;
  /** Bytes that one environment held at most. */
  readonly peakBytes: number;
  /** Names of errors, in the order in which they came. */
  readonly errors: readonly string[];
  /** Calls that were turned away. */
  readonly throttled: number;
  /** Bytes that the /tmp of one environment held at most. */
  readonly peakTmpBytes: number;
  /** What calls left in their environment for the next one. */
  readonly left: readonly string[];
};

/** Lambda as far as it is needed: functions by name, called at once or one after the other. */
export type Pool = {
  invoke(fn: LambdaFunction, event: unknown): Promise<LambdaAnswer>;
  /** Ends an environment at once, whatever it is doing. */
  kill(environmentId: string): void;
  usage(functionName: string): Usage;
  close(): Promise<void>;
};

/** Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const NEW_ACCOUNT = 10;

type Calls = {
  count: number;
  active: number;
  begun: number;
  throttled: number;
  errors: string[];
  idle: Environment[];
  all: Environment[];
};

/**
 * An environment that is free takes the next call of its function; calls at the same time get new ones. More calls than
 * a function's reserved concurrency, or the account's, are turned away with Lambda.TooManyRequestsException.
 */
export function createPool({ folder, account, concurrency = NEW_ACCOUNT }: PoolOptions): Pool {
  const functions = new Map<string, Calls>();
  const callsOf = (name: string): Calls => {
    const known = functions.get(name) ?? { count: 0, active: 0, begun: 0, throttled: 0, errors: [], idle: [], all: [] };
    functions.set(name, known);
    return known;
  };
  const freshFor = async (fn: LambdaFunction, calls: Calls): Promise<Environment> => {
    calls.begun += 1;
    const id = `${fn.name}.${calls.begun}`;
    const made = await startEnvironment({ id, fn, folder, account: account(id) });
    calls.all.push(made);
    return made;
  };
  return {
    async invoke(fn, event) {
      const calls = callsOf(fn.name);
      const active = [...functions.values()].reduce((sum, one) => sum + one.active, 0);
      const limit = fn.reservedConcurrency;
      if (active >= concurrency || (limit !== null && calls.active >= limit)) {
        calls.throttled += 1;
        return throttled(
          limit !== null && calls.active >= limit ? `${fn.name} has ${limit}` : `the account has ${concurrency}`,
        );
      }
      calls.count += 1;
      calls.active += 1;
      try {
        // As on Lambda, a function that was deployed anew gets no environment of its former self.
        const at = calls.idle.findIndex((one) => one.alive() && one.fn === fn);
        const [environment = await freshFor(fn, calls)] = at < 0 ? [] : calls.idle.splice(at, 1);
        const answer = await environment.invoke(randomUUID(), event);
        if (answer.kind === 'error') calls.errors.push(answer.error.errorType);
        if (environment.alive()) calls.idle.push(environment);
        return answer;
      } finally {
        calls.active -= 1;
      }
    },
    kill(environmentId) {
      const environments = [...functions.values()].flatMap(({ all }) => all);
      const found = environments.find(({ id }) => id === environmentId);
      if (found === undefined) throw new Error(`no environment ${environmentId}`);
      found.kill();
    },
    usage(functionName) {
      const { count, all, errors, throttled: turnedAway } = callsOf(functionName);
      const peakBytes = Math.max(0, ...all.map((one) => one.peakBytes()));
      const peakTmpBytes = Math.max(0, ...all.map((one) => one.peakTmpBytes()));
      const left = [...new Set(all.flatMap((one) => one.left()))];
      return { calls: count, environments: all.length, peakBytes, errors, throttled: turnedAway, peakTmpBytes, left };
    },
    async close() {
      const environments = [...functions.values()].flatMap(({ all }) => all);
      await Promise.all(environments.map((one) => one.close()));
    },
  };
}

function throttled(who: string): LambdaAnswer {
  const errorMessage = `Rate Exceeded: ${who} calls at once`;
  return { kind: 'error', error: { errorType: 'Lambda.TooManyRequestsException', errorMessage } };
}
