import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonValue } from '../../lib/ports.ts';
import { getJson, type Moto } from './moto-calls.ts';

/** What Lambda knows of a function; as GetFunctionConfiguration answers it. */
export type FunctionConfiguration = {
  readonly FunctionName: string;
  readonly FunctionArn: string;
  readonly Handler: string;
  readonly Timeout: number;
  readonly MemorySize: number;
  readonly Environment: { readonly Variables: Readonly<Record<string, string>> };
};

/** How an invocation ended when the function did not answer itself. */
export class LambdaFailure extends Error {
  constructor(errorType: string, message: string) {
    super(message);
    this.name = errorType;
  }
}

export type LambdaPool = {
  /** Invokes a function by ARN or name; throws an error by the name that Lambda would report. */
  invoke(functionArn: string, event: JsonValue): Promise<JsonValue>;
  /** Kills the environment that next works on this function, some milliseconds into its call. */
  killNext(step: string, afterMs: number): void;
  /** Gives a function other environment variables until they are taken back; its environments are made anew. */
  /** The input of the last call of a step. */
  lastInput(step: string): JsonValue | undefined;
  override(step: string, variables: Readonly<Record<string, string>> | undefined): void;
  readonly counts: { fresh: number; reused: number; killed: number };
  close(): Promise<void>;
};

type Environment = { readonly child: ChildProcess; readonly configuration: FunctionConfiguration };

const BOOTSTRAP = join(import.meta.dirname, 'lambda-bootstrap.mjs');
const MEMORY_CHECK_MS = 50;

/**
 * Runs functions as Lambda does, each environment a process of its own with nothing of this one's environment: one call
 * at a time, the next call in an environment that is there, concurrent ones in fresh ones. Timeout and memory are the
 * template's; what goes beyond them is killed and reported by the names that Lambda uses.
 */
export function openLambdas(moto: Moto, bundles: string, work: string): LambdaPool {
  const idle = new Map<string, Environment[]>();
  const all = new Set<Environment>();
  const counts = { fresh: 0, reused: 0, killed: 0 };
  const doomed = new Map<string, number>();
  const inputs = new Map<string, JsonValue>();
  const overrides = new Map<string, Readonly<Record<string, string>>>();

  const start = async (configuration: FunctionConfiguration): Promise<Environment> => {
    counts.fresh += 1;
    const environment = await startEnvironment(
      moto,
      configuration,
      { bundles, work, number: counts.fresh },
      overrides.get(stepOf(configuration)) ?? {},
    );
    all.add(environment);
    return environment;
  };
  const end = (environment: Environment): void => {
    all.delete(environment);
    environment.child.kill('SIGKILL');
  };

  return {
    counts,
    async invoke(functionArn, event) {
      const name = functionArn.split(':').at(-1) ?? functionArn;
      const configuration = await describe(moto, name);
      inputs.set(stepOf(configuration), event);
      const waiting = idle.get(name)?.pop();
      if (waiting !== undefined) counts.reused += 1;
      const environment = waiting ?? (await start(configuration));
      const killAfter = doomed.get(stepOf(configuration));
      doomed.delete(stepOf(configuration));
      if (killAfter !== undefined) counts.killed += 1;
      const outcome = await call(environment, event, killAfter);
      if (outcome.kind === 'dead') end(environment);
      else idle.set(name, [...(idle.get(name) ?? []), environment]);
      if (outcome.kind === 'answer') return outcome.answer;
      throw new LambdaFailure(outcome.errorType, outcome.message);
    },
    killNext: (step, afterMs) => void doomed.set(step, afterMs),
    lastInput: (step) => inputs.get(step),
    override(step, variables) {
      if (variables === undefined) overrides.delete(step);
      else overrides.set(step, variables);
      for (const environment of [...all].filter((one) => stepOf(one.configuration) === step)) end(environment);
      for (const name of idle.keys())
        idle.set(
          name,
          (idle.get(name) ?? []).filter((one) => all.has(one)),
        );
    },
    async close() {
      for (const environment of all) end(environment);
    },
  };
}

/** The end of a function's name: `strata-hr-plan-stage` is `plan-stage`. */
function stepOf({ FunctionName, Environment }: FunctionConfiguration): string {
  const pipeline = (Environment.Variables['STRATA_PIPELINE'] ?? '').replaceAll('_', '-');
  return FunctionName.slice(FunctionName.indexOf(`${pipeline}-`) + pipeline.length + 1);
}

function describe(moto: Moto, name: string): Promise<FunctionConfiguration> {
  return getJson(moto, 'lambda', `/2015-03-31/functions/${name}/configuration`);
}

async function startEnvironment(
  { endpoint, region }: Moto,
  configuration: FunctionConfiguration,
  place: { readonly bundles: string; readonly work: string; readonly number: number },
  overrides: Readonly<Record<string, string>>,
): Promise<Environment> {
  const { FunctionName, FunctionArn, Handler, MemorySize } = configuration;
  const step = stepOf(configuration);
  const folder = Handler === 'index.handler' ? step : 'worker';
  const tmp = join(place.work, 'tmp', `${FunctionName}-${place.number}`);
  await mkdir(tmp, { recursive: true });
  const child = fork(BOOTSTRAP, [], {
    cwd: tmp,
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: {
      ...configuration.Environment.Variables,
      ...overrides,
      _HANDLER: Handler,
      LAMBDA_TASK_ROOT: join(place.bundles, folder),
      TMPDIR: tmp,
      TZ: ':UTC',
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: 'rehearsal',
      AWS_SECRET_ACCESS_KEY: 'rehearsal',
      AWS_ENDPOINT_URL: endpoint,
      AWS_LAMBDA_FUNCTION_NAME: FunctionName,
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(MemorySize),
      AWS_XRAY_CONTEXT_MISSING: 'IGNORE_ERROR',
      POWERTOOLS_TRACE_ENABLED: 'false',
      STRATA_REHEARSED_ARN: FunctionArn,
    },
  });
  const log = createWriteStream(join(place.work, 'logs.jsonl'), { flags: 'a' });
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  await new Promise<void>((ready, failed) => {
    child.once('message', () => ready());
    child.once('exit', (code) =>
      failed(
        new LambdaFailure(
          'Runtime.ExitError',
          `${FunctionName} ended with ${code} while it was loaded; see ${place.work}/logs.jsonl`,
        ),
      ),
    );
  });
  return { child, configuration };
}

type Outcome =
  | { readonly kind: 'answer'; readonly answer: JsonValue }
  | { readonly kind: 'error' | 'dead'; readonly errorType: string; readonly message: string };

type Said = {
  readonly answer?: string;
  readonly error?: { readonly errorType: string; readonly errorMessage: string };
};

function call(
  { child, configuration }: Environment,
  event: JsonValue,
  killAfter: number | undefined,
): Promise<Outcome> {
  const { Timeout, MemorySize, FunctionName } = configuration;
  const requestId = randomUUID();
  return new Promise((settle) => {
    const timers: NodeJS.Timeout[] = [];
    const done = (outcome: Outcome): void => {
      for (const timer of timers) clearTimeout(timer);
      child.off('message', said);
      child.off('exit', exited);
      settle(outcome);
    };
    const dead = (errorType: string, message: string): void =>
      done({ kind: 'dead', errorType, message: `${FunctionName}: ${message}` });
    const said = ({ answer, error }: Said): void => {
      if (error !== undefined) done({ kind: 'error', errorType: error.errorType, message: error.errorMessage });
      else done({ kind: 'answer', answer: JSON.parse(answer ?? 'null') as JsonValue });
    };
    const exited = (code: number | null, signal: string | null): void =>
      dead(
        'Runtime.ExitError',
        `RequestId: ${requestId} Error: Runtime exited with error: ${signal ?? `exit status ${code}`}`,
      );
    child.on('message', said);
    child.on('exit', exited);
    timers.push(setTimeout(() => dead('Sandbox.Timedout', `Task timed out after ${Timeout} seconds`), Timeout * 1_000));
    if (killAfter !== undefined) timers.push(setTimeout(() => child.kill('SIGKILL'), killAfter));
    const memory = setInterval(async () => {
      const used = await residentMb(child.pid);
      if (used > MemorySize) dead('Runtime.OutOfMemory', `used ${Math.round(used)} MB of ${MemorySize} MB`);
    }, MEMORY_CHECK_MS);
    timers.push(memory);
    child.send({ event: JSON.stringify(event), requestId, deadline: Date.now() + Timeout * 1_000 });
  });
}

/** MB that a process holds; 0 where the system does not say. */
async function residentMb(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1_024;
}
