import { isCallback, type State, type StateMachineDefinition, TASK_TOKEN } from '../../lib/asl/definition.ts';
import { functionOf, loadStateMachine } from '../../lib/asl/load.ts';
import { lowerStateMachine } from '../../lib/asl/lower.ts';
import type { StateEvent } from '../../lib/asl/state-event.ts';
import type { JsonValue } from '../../lib/ports.ts';
import { runStateMachine, type StateMachineResult } from '../../lib/runtime/state-machine.ts';
import type { Callbacks } from './callbacks.ts';
import type { LambdaAnswer } from './environment.ts';
import type { LambdaFunction } from './function.ts';

export type ExecutionOptions = {
  /** The deployed definition, its placeholders replaced by ARNs. */
  readonly definition: string;
  readonly functionsByArn: ReadonlyMap<string, LambdaFunction>;
  readonly invoke: (fn: LambdaFunction, input: JsonValue, arn: string) => Promise<LambdaAnswer>;
  /** Called before each Task state calls its function. */
  readonly onTask?: (state: string) => Promise<void>;
  /** The JSON array in an object, as a Distributed Map's ItemReader gets it. */
  readonly readItems: (bucket: string, key: string) => Promise<readonly JsonValue[]>;
  /** Of the state that the definition starts at; the execution's own, unless it is redriven. */
  readonly input: JsonValue;
  /** `$$.Execution` */
  readonly execution: {
    readonly Id: string;
    readonly Name: string;
    readonly Input: JsonValue;
    readonly RedriveCount?: number;
  };
  /** Milliseconds of each wait and between attempts, in place of the definition's own. */
  readonly intervalMs: number;
  readonly onEvent?: (event: StateEvent) => void;
  readonly callbacks: Callbacks;
  /** Of which an execution is: what may call back has rights to it. */
  readonly machineArn: string;
  /** Called when the function of a state has answered that waits for a call back. */
  readonly onWait?: () => Promise<void>;
  /** Milliseconds that such a state waits, in place of the definition's own. */
  readonly waitMs?: number;
};

/** Children of a map that work at once here, whatever the definition allows. */
const CONCURRENCY = 2;

/**
 * Runs a deployed definition as Step Functions does: each Task calls the function that its Resource names, and an error
 * of a function arrives as Error and, in Cause, Lambda's JSON. A callback waits until somebody calls back with the token that its function
 * was given. Throws an Error for a Resource that is no function.
 */
export async function runExecution(options: ExecutionOptions): Promise<StateMachineResult> {
  const machine = loadStateMachine(options.definition, options.execution.Id);
  const bucket = bucketOfItems(machine);
  const waits = callbacksOf(machine);
  const handlers = tasksOf(machine).map(([state, resource]) => {
    const find = (): LambdaFunction => {
      const fn = options.functionsByArn.get(resource);
      if (fn === undefined) throw new Error(`state ${state} calls ${resource}, which is no function of this stack`);
      return fn;
    };
    find();
    const call = async (input: JsonValue): Promise<JsonValue> => {
      await options.onTask?.(state);
      // What is deployed may have become other in the meantime.
      return unwrap(await options.invoke(find(), input, resource));
    };
    const token = waits.get(state);
    return [state, token === undefined ? call : awaiting(options, token, call)] as const;
  });
  return runStateMachine({
    definition: lowerStateMachine({ ...machine, States: withoutCallbacks(machine) }),
    input: options.input,
    handlers: Object.fromEntries(handlers),
    readItems: (key) => options.readItems(bucket, key),
    concurrency: CONCURRENCY,
    execution: { ...options.execution, StartTime: new Date().toISOString() },
    retryIntervalMs: options.intervalMs,
    ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
  });
}

/** The states that wait for a call back, with the field of the payload that the token goes into. */
function callbacksOf({ States }: StateMachineDefinition): ReadonlyMap<string, string> {
  const found = Object.entries(States).flatMap(([name, state]) => {
    if (state.Type !== 'Task' || !isCallback(state.Resource)) return [];
    const [field = ''] = Object.entries(payloadOf(state)).find(([, value]) => value === TASK_TOKEN) ?? [];
    return [[name, field.replace(/\.\$$/, '')] as const];
  });
  return new Map(found);
}

type Task = Extract<State, { Type: 'Task' }>;
type Payload = NonNullable<Task['Parameters']>;

function payloadOf({ Parameters }: Task): Payload {
  return Object(Parameters?.['Payload']);
}

/** The local runner knows no callbacks: each becomes a call, of what its function is given and how long it waits. */
function withoutCallbacks({ States }: StateMachineDefinition): StateMachineDefinition['States'] {
  const plain = (state: State): State => {
    if (state.Type !== 'Task' || !isCallback(state.Resource)) return state;
    const { TimeoutSecondsPath = '', ...task } = state;
    const given = Object.entries(payloadOf(state)).filter(([, value]) => value !== TASK_TOKEN);
    const Parameters = { payload: Object.fromEntries(given), 'seconds.$': TimeoutSecondsPath };
    return { ...task, Resource: functionOf(state), Parameters };
  };
  return Object.fromEntries(Object.entries(States).map(([name, state]) => [name, plain(state)]));
}

/** What comes first counts: a call back, also before the function has answered, its error, or the end of the time. */
function awaiting(
  { callbacks, machineArn, onWait, waitMs }: ExecutionOptions,
  field: string,
  call: (input: JsonValue) => Promise<JsonValue>,
): (input: JsonValue) => Promise<JsonValue> {
  return async (input) => {
    const { payload, seconds } = input as { readonly payload: { [name: string]: JsonValue }; readonly seconds: number };
    const { token, called } = callbacks.begin(machineArn, waitMs ?? seconds * 1000);
    const answered = call({ ...payload, [field]: token });
    try {
      await Promise.race([
        called,
        answered.then(async () => {
          await onWait?.();
          return called;
        }),
      ]);
      return {};
    } finally {
      callbacks.forget(token);
      await Promise.allSettled([answered]);
    }
  };
}

/** Every Task state, inside and outside maps, with what it calls. */
export function tasksOf({ States }: Pick<StateMachineDefinition, 'States'>): readonly (readonly [string, string])[] {
  return Object.entries(States).flatMap(([name, state]) => {
    if (state.Type === 'Task') return [[name, functionOf(state)] as const];
    return state.Type === 'Map' ? tasksOf(state.ItemProcessor) : [];
  });
}

function bucketOfItems({ States }: StateMachineDefinition): string {
  const buckets = Object.values(States).flatMap((state) =>
    state.Type === 'Map' ? [state.ItemReader.Parameters.Bucket] : [],
  );
  // Without a map nothing is read.
  const [bucket = '', ...others] = new Set(buckets);
  if (others.length > 0) throw new Error(`items come from ${buckets.join(', ')}`);
  return bucket;
}

/** Source: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html */
function unwrap(answer: LambdaAnswer): JsonValue {
  if (answer.kind === 'answer') return JSON.parse(answer.payload) as JsonValue;
  throw Object.assign(new Error(JSON.stringify(answer.error)), { name: answer.error.errorType });
}
