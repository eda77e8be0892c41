import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { contextOf, type LambdaFunction, variablesOf } from './function.ts';

/** As Lambda reports it to who called: errorType is what ErrorEquals matches. */
export type LambdaError = {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
};

export type LambdaAnswer =
  | { readonly kind: 'answer'; readonly payload: string }
  | { readonly kind: 'error'; readonly error: LambdaError };

/** An execution environment: one process that works on one call at a time, and keeps what it has between calls. */
export type Environment = {
  readonly id: string;
  readonly fn: LambdaFunction;
  /** Whether it may be given a call; false once its process has ended. */
  alive(): boolean;
  invoke(requestId: string, event: unknown): Promise<LambdaAnswer>;
  /** Bytes of memory that it held at most, as far as was seen. */
  peakBytes(): number;
  /** Bytes that its /tmp held at most, as far as was seen. */
  peakTmpBytes(): number;
  /** What its calls have left for the next one: files in /tmp, and what they changed of the process. */
  left(): readonly string[];
  kill(): void;
  close(): Promise<void>;
};

export type EnvironmentOptions = {
  readonly id: string;
  readonly fn: LambdaFunction;
  /** Gets a folder of the environment's own, which is its /tmp, and the log of its function. */
  readonly folder: string;
  /** What stands in for Lambda's own variables besides those of the function: credentials, endpoint, region. */
  readonly account: Readonly<Record<string, string>>;
};

const BOOTSTRAP = join(import.meta.dirname, 'bootstrap.mjs');
/** Milliseconds between two looks at a process's memory. */
const LOOK_EVERY = 20;
/** Every so many looks /tmp is looked at too. */
const LOOKS_AT_TMP = 10;
/** Milliseconds that Lambda gives to the code outside the handler before it starts over; here it ends the environment. */
const INIT_LIMIT = 10_000;

type Message =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly id: string; readonly payload: string; readonly changed: readonly string[] }
  | { readonly kind: 'error'; readonly id: string; readonly error: LambdaError }
  | { readonly kind: 'crashed'; readonly error: LambdaError };

type Waiting = { readonly requestId: string; readonly settle: (answer: LambdaAnswer) => void };

/**
 * Starts the process of an environment: nothing of this machine's environment variables reaches it. A call that takes
 * longer than the function's timeout is killed (Sandbox.Timedout), a process that holds more than its memory too
 * (Runtime.OutOfMemory); one that ends by itself or by `kill`, or whose /tmp is more than full, answers Runtime.ExitError. Whatever was
 * killed is gone for good. Between two calls the process is stopped, as Lambda freezes it.
 */
export async function startEnvironment({ id, fn, folder, account }: EnvironmentOptions): Promise<Environment> {
  const tmp = join(folder, 'tmp', id);
  await mkdir(tmp, { recursive: true });
  const child = spawn(process.execPath, [BOOTSTRAP, fn.taskRoot, fn.handler], {
    cwd: fn.taskRoot,
    env: variablesOf(fn, tmp, account),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const log = createWriteStream(join(folder, `${fn.name}.log`), { flags: 'a' });
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  const state = watch(child, fn, tmp);
  return {
    id,
    fn,
    alive: () => child.exitCode === null && child.signalCode === null && state.reason() === undefined,
    peakBytes: () => state.peakBytes(),
    peakTmpBytes: () => state.peakTmpBytes(),
    left: () => [...state.left],
    kill: () => child.kill('SIGKILL'),
    async invoke(requestId, event) {
      const initialised = await state.ready;
      if (initialised !== undefined) return { kind: 'error', error: { ...initialised } };
      child.kill('SIGCONT');
      const answer = await callWithin(child, state, fn, requestId, event);
      // One that was killed has no next call.
      if (state.reason() !== undefined) return answer;
      child.kill('SIGSTOP');
      for (const { path } of await filesIn(tmp)) state.left.add(path.slice(tmp.length + 1));
      return answer;
    },
    async close() {
      child.kill('SIGKILL');
      await state.ended;
      log.end();
      await rm(tmp, { recursive: true, force: true });
    },
  };
}

type Watched = {
  /** Kept once the handler is loaded: undefined, or why it could not be. */
  readonly ready: Promise<LambdaError | undefined>;
  readonly ended: Promise<void>;
  wait(waiting: Waiting | undefined): void;
  /** Ends the process and says what its caller hears. */
  end(reason: LambdaError): void;
  reason(): LambdaError | undefined;
  peakBytes(): number;
  peakTmpBytes(): number;
  readonly left: Set<string>;
};

function watch(child: ChildProcess, fn: LambdaFunction, tmp: string): Watched {
  let waiting: Waiting | undefined;
  let reason: LambdaError | undefined;
  let peak = 0;
  let peakTmp = 0;
  let looks = 0;
  const left = new Set<string>();
  const ready = Promise.withResolvers<LambdaError | undefined>();
  const ended = Promise.withResolvers<void>();
  const end = (why: LambdaError): void => {
    reason ??= why;
    child.kill('SIGKILL');
  };
  const init = setTimeout(() => end(exitError('INIT', 'the code outside the handler took more than 10 s')), INIT_LIMIT);
  let initialised = false;
  const looking = setInterval(async () => {
    // What waits for a call is frozen on Lambda.
    if (initialised && waiting === undefined) return;
    if (looks++ % LOOKS_AT_TMP === 0) {
      const full = (await filesIn(tmp)).reduce((sum, { bytes }) => sum + bytes, 0);
      peakTmp = Math.max(peakTmp, full);
      if (full > fn.tmpMb * 2 ** 20) end(exitError(requestOf(waiting), `/tmp is full: ${fn.tmpMb} MB`));
    }
    const bytes = await residentBytes(child.pid);
    peak = Math.max(peak, bytes);
    if (bytes <= fn.memoryMb * 2 ** 20 || reason !== undefined) return;
    const held = `held ${Math.round(bytes / 2 ** 20)} MB of ${fn.memoryMb} MB`;
    end({ errorType: 'Runtime.OutOfMemory', errorMessage: `${requestOf(waiting)} Error: Runtime was killed: ${held}` });
  }, LOOK_EVERY);
  child.on('message', (message: Message) => {
    if (message.kind === 'ready') ready.resolve(undefined);
    else if (message.kind === 'crashed') reason ??= message.error;
    else if (message.id === waiting?.requestId) {
      if (message.kind === 'answer') for (const one of message.changed) left.add(one);
      waiting.settle(message);
    }
  });
  child.on('error', (cause) => end(exitError('INIT', cause.message)));
  child.on('close', (code, signal) => {
    clearTimeout(init);
    clearInterval(looking);
    reason ??= exitError(requestOf(waiting), signal === null ? `exit status ${code}` : `signal: ${signal}`);
    ready.resolve(reason);
    waiting?.settle({ kind: 'error', error: reason });
    ended.resolve();
  });
  ready.promise.then(() => {
    initialised = true;
    clearTimeout(init);
  });
  return {
    ready: ready.promise,
    ended: ended.promise,
    wait: (one) => {
      waiting = one;
    },
    end,
    reason: () => reason,
    peakBytes: () => peak,
    peakTmpBytes: () => peakTmp,
    left,
  };
}

function callWithin(
  child: ChildProcess,
  state: Watched,
  fn: LambdaFunction,
  requestId: string,
  event: unknown,
): Promise<LambdaAnswer> {
  const { promise, resolve } = Promise.withResolvers<LambdaAnswer>();
  const late = setTimeout(() => {
    const errorMessage = `RequestId: ${requestId} Error: Task timed out after ${fn.timeoutSeconds.toFixed(2)} seconds`;
    state.end({ errorType: 'Sandbox.Timedout', errorMessage });
  }, fn.timeoutSeconds * 1000);
  state.wait({
    requestId,
    settle: (answer) => {
      clearTimeout(late);
      state.wait(undefined);
      resolve(answer);
    },
  });
  const deadline = Date.now() + fn.timeoutSeconds * 1000;
  const reason = state.reason();
  if (reason !== undefined) return Promise.resolve({ kind: 'error', error: reason });
  child.send({ id: requestId, event, context: contextOf(fn, requestId), deadline }, () => {});
  return promise;
}

function exitError(request: string, what: string): LambdaError {
  return { errorType: 'Runtime.ExitError', errorMessage: `${request} Error: Runtime exited with error: ${what}` };
}

function requestOf(waiting: Waiting | undefined): string {
  return `RequestId: ${waiting?.requestId ?? 'INIT'}`;
}

/** 0 for a process that has ended. */
async function residentBytes(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

/** Files that go while they are looked for are none. */
async function filesIn(folder: string): Promise<readonly { readonly path: string; readonly bytes: number }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    paths.map(async (path) => ({ path, bytes: (await stat(path).catch(() => undefined))?.size ?? 0 })),
  );
}
