import type { StateMachine as Runner, RunOptions, StateMachineDefinition } from 'aws-local-stepfunctions';
import type { LoweredDefinition, LoweredMachine, LoweredMap } from '../asl/lower.ts';
import type { StateEvent } from '../asl/state-event.ts';
import { InvalidInput } from '../core/errors.ts';
import type { Turns } from '../core/turns.ts';
import type { JsonValue } from '../ports.ts';

export type StateHandler = (input: JsonValue) => Promise<JsonValue>;

export type StateMachineRun = {
  readonly definition: LoweredMachine;
  readonly input: JsonValue;
  /** One for each Task state, inside and outside maps. */
  readonly handlers: Readonly<Record<string, StateHandler>>;
  /** The JSON array at a store key. */
  readonly readItems: (key: string) => Promise<readonly JsonValue[]>;
  /** Items of a map at once; the map's own MaxConcurrency may lower it. */
  readonly concurrency: number;
  /** Of the items that are at work at once; left out: none matters to another. */
  readonly turns?: Turns;
  /** `$$.Execution` of the context object; by default it has the input alone. */
  readonly execution?: JsonValue;
  readonly onEvent?: (event: StateEvent) => void;
  /** Milliseconds between attempts, and of each Wait, in place of the state machine's own. */
  readonly retryIntervalMs?: number;
  /** Ends the machine at once, waits included; what handlers have begun goes on. */
  readonly interrupted?: AbortSignal;
};

export type StateMachineResult =
  | { readonly status: 'SUCCEEDED'; readonly output: JsonValue }
  | { readonly status: 'FAILED'; readonly error: string; readonly cause: string };

/** Bytes of JSON that Step Functions lets a state receive or return. */
const PAYLOAD_LIMIT = 262_144;

/**
 * Runs a machine in this process. Errors keep their `name`, so Retry and Catch match our classes as they do on AWS; a
 * map that lost more items than it tolerates starts no further ones, lets the running ones end, and fails with
 * States.ExceedToleratedFailureThreshold. Payloads are JSON of at most 256 KiB, as on AWS.
 * Throws InvalidInput when a Task state has no handler.
 */
export async function runStateMachine(run: StateMachineRun): Promise<StateMachineResult> {
  const { definition, handlers } = run;
  requireHandlers(definition, handlers);
  const outer: Record<string, StateHandler> = {};
  for (const state of definition.tasks) outer[state] = taskHandler(run, state);
  for (const [state, map] of Object.entries(definition.maps)) {
    outer[state] = observed(run, state, (input) => runMap(run, state, map, input));
  }
  try {
    return {
      status: 'SUCCEEDED',
      output: await execute(definition.main, run.input, { run, handlers: outer, billed: (state) => state }),
    };
  } catch (cause) {
    const { name, message } = originOf(cause);
    return { status: 'FAILED', error: name, cause: message };
  }
}

function requireHandlers(machine: LoweredMachine, handlers: StateMachineRun['handlers']): void {
  const needed = [...machine.tasks, ...Object.values(machine.maps).flatMap((map) => map.tasks)];
  const missing = needed.filter((state) => handlers[state] === undefined);
  if (missing.length > 0) {
    // The runner would call AWS Lambda for a state without a handler.
    throw new InvalidInput(
      `no handler for Task state ${missing.join(', ')}; expected one for each of ${needed.join(', ')}`,
    );
  }
}

type Execution = {
  readonly run: StateMachineRun;
  readonly handlers: Readonly<Record<string, StateHandler>>;
  /** The state that a transition of the runner is one of; undefined where Step Functions has none. */
  readonly billed: (state: string) => string | undefined;
  readonly mapped?: { readonly Items: readonly JsonValue[]; readonly Concurrency: number };
};

async function execute(definition: LoweredDefinition, input: JsonValue, execution: Execution): Promise<JsonValue> {
  // Loaded on use: the runner brings AWS clients along that most commands never need.
  const { StateMachine } = await import('aws-local-stepfunctions');
  const { retryIntervalMs } = execution.run;
  const options = {
    overrides: {
      taskResourceLocalHandlers: execution.handlers,
      ...(retryIntervalMs === undefined ? {} : { retryIntervalOverrides: everyRetry(definition, retryIntervalMs) }),
      ...(retryIntervalMs === undefined ? {} : { waitTimeOverrides: everyWait(definition, retryIntervalMs) }),
    },
    context: {
      Execution: execution.run.execution ?? { Input: execution.run.input },
      ...(execution.mapped === undefined ? {} : { Strata: execution.mapped }),
    },
  };
  // The runner's types know mutable JSON only; the definition was checked when it was loaded.
  const machine = new StateMachine(definition as unknown as StateMachineDefinition, {
    validationOptions: { noValidate: true },
  });
  const started = machine.run(input as never, options as unknown as RunOptions);
  const { interrupted } = execution.run;
  const abort = (): void => started.abort();
  interrupted?.addEventListener('abort', abort);
  try {
    const drained = drain(started.eventLogs, execution);
    const output = await started.result;
    await drained;
    return output;
  } finally {
    interrupted?.removeEventListener('abort', abort);
  }
}

/** Unread, the runner's own log would hold every payload of the run. */
async function drain(events: ReturnType<Runner['run']>['eventLogs'], { run, billed }: Execution): Promise<void> {
  for await (const event of events) {
    if (event.type !== 'StateEntered' && event.type !== 'StateRetried') continue;
    const state = billed(event.state.name);
    if (state !== undefined) run.onEvent?.({ kind: 'entered', state });
  }
}

function everyRetry(value: object, milliseconds: number): Record<string, number> {
  const found = Object.entries(value).flatMap(([name, field]) => {
    if (typeof field !== 'object' || field === null) return [];
    const below = Object.entries(everyRetry(field, milliseconds));
    return 'Retry' in field ? [[name, milliseconds] as const, ...below] : below;
  });
  return Object.fromEntries(found);
}

function everyWait({ States }: LoweredDefinition, milliseconds: number): Record<string, number> {
  const waits = Object.entries(States).filter(([, state]) => 'Type' in state && state.Type === 'Wait');
  return Object.fromEntries(waits.map(([name]) => [name, milliseconds]));
}

function taskHandler(run: StateMachineRun, state: string, turns?: Turns): StateHandler {
  const act = async (input: JsonValue): Promise<JsonValue | undefined> => run.handlers[state]?.(input);
  return observed(run, state, async (input) =>
    payload(state, await (turns === undefined ? act(input) : turns.take(() => act(input)))),
  );
}

/** Reports start and end of each call, and makes whatever is thrown an Error with a name. */
function observed(run: StateMachineRun, state: string, handler: StateHandler): StateHandler {
  return async (input) => {
    const start = performance.now();
    run.onEvent?.({ kind: 'started', state });
    try {
      const output = await handler(input);
      run.onEvent?.({ kind: 'succeeded', state, durationMs: performance.now() - start });
      return output;
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      const durationMs = performance.now() - start;
      run.onEvent?.({ kind: 'failed', state, durationMs, error: error.name, cause: error.message });
      throw error;
    }
  };
}

async function runMap(run: StateMachineRun, state: string, map: LoweredMap, input: JsonValue): Promise<JsonValue> {
  const { key, input: mapInput } = input as { key: string; input: JsonValue };
  const items = await readItems(run, state, key);
  run.onEvent?.({ kind: 'items', state, count: items.length });
  if (items.length === 0) return null;

  const failures: ItemFailure[] = [];
  const handlers: Record<string, StateHandler> = {
    [map.failed]: async (failure) => {
      failures.push(failure as ItemFailure);
      return null;
    },
  };
  for (const task of map.tasks) {
    const handler = taskHandler(run, task, run.turns);
    handlers[task] = async (taskInput) => {
      if (isExceeded(map, failures.length, items.length)) throw stopped();
      return handler(taskInput);
    };
  }
  const Concurrency = Math.min(run.concurrency, map.maxConcurrency || run.concurrency);
  const own = new Set([state, map.failed]);
  const billed = (name: string): string | undefined => (name === map.item ? state : own.has(name) ? undefined : name);
  await execute(map.items, mapInput, { run, handlers, billed, mapped: { Items: items, Concurrency } });
  if (isExceeded(map, failures.length, items.length)) throw exceeded(state, failures, items.length);
  return null;
}

type ItemFailure = { readonly Error: string; readonly Cause: string };

async function readItems(run: StateMachineRun, state: string, key: string): Promise<readonly JsonValue[]> {
  const items = await run.readItems(key).catch((cause: unknown) => {
    const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    throw statesError('States.ItemReaderFailed', `${state} cannot read its items at ${key}: ${reason}`, { cause });
  });
  if (Array.isArray(items)) return items;
  throw statesError('States.ItemReaderFailed', `${state}: got no JSON array at ${key}; expected the list of its items`);
}

function isExceeded({ tolerated: { count, percentage } }: LoweredMap, failed: number, total: number): boolean {
  return (count !== null && failed > count) || (percentage !== null && (failed / total) * 100 > percentage);
}

const STOPPED = 'Strata.MapStopped';

function exceeded(state: string, failures: readonly ItemFailure[], total: number): Error {
  const own = failures.filter(({ Error: name }) => name !== STOPPED);
  const [first] = own;
  return statesError(
    'States.ExceedToleratedFailureThreshold',
    `${own.length} of ${total} items of ${state} failed; the first with ${first?.Error}: ${first?.Cause}`,
  );
}

/** Ends an item that had not begun when its map failed; no Retry may begin it again. */
function stopped(): Error {
  return Object.assign(statesError(STOPPED, 'not started: the map had failed'), { isRetryable: false });
}

function statesError(name: string, message: string, options?: ErrorOptions): Error {
  return Object.assign(new Error(message, options), { name });
}

/** Passes a value on as AWS does: as JSON text within the limit. */
function payload(state: string, value: JsonValue | undefined): JsonValue {
  const text = JSON.stringify(value ?? null);
  const bytes = Buffer.byteLength(text);
  if (bytes <= PAYLOAD_LIMIT) return JSON.parse(text) as JsonValue;
  const error = statesError(
    'States.DataLimitExceeded',
    `${state} returned ${bytes} bytes of JSON; expected at most ${PAYLOAD_LIMIT}: write lists to the store and return their key`,
  );
  // The same attempt would return as much again.
  throw Object.assign(error, { isRetryable: false });
}

/** The runner wraps what ended the machine once for each level. */
function originOf(cause: unknown): Error {
  if (!(cause instanceof Error)) return new Error(String(cause));
  return cause.name === 'ExecutionError' && cause.cause instanceof Error ? originOf(cause.cause) : cause;
}
