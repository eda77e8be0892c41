import type { StateMachineDefinition } from '../../lib/asl/definition.ts';
import { loadStateMachine } from '../../lib/asl/load.ts';
import { lowerStateMachine } from '../../lib/asl/lower.ts';
import type { StateEvent } from '../../lib/asl/state-event.ts';
import type { JsonValue } from '../../lib/ports.ts';
import { runStateMachine, type StateMachineResult } from '../../lib/runtime/state-machine.ts';
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
};

/** Children of a map that work at once here, whatever the definition allows. */
const CONCURRENCY = 2;

/**
 * Runs a deployed definition as Step Functions does: each Task calls the function that its Resource names, and an error
 * of a function arrives as Error and, in Cause, Lambda's JSON. Throws an Error for a Resource that is no function.
 */
export async function runExecution(options: ExecutionOptions): Promise<StateMachineResult> {
  const machine = loadStateMachine(options.definition, options.execution.Id);
  const bucket = bucketOfItems(machine);
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
    return [state, call] as const;
  });
  return runStateMachine({
    definition: lowerStateMachine(machine),
    input: options.input,
    handlers: Object.fromEntries(handlers),
    readItems: (key) => options.readItems(bucket, key),
    concurrency: CONCURRENCY,
    execution: { ...options.execution, StartTime: new Date().toISOString() },
    retryIntervalMs: options.intervalMs,
    ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
  });
}

/** Every Task state, inside and outside maps, with what it calls. */
export function tasksOf({ States }: Pick<StateMachineDefinition, 'States'>): readonly (readonly [string, string])[] {
  return Object.entries(States).flatMap(([name, state]) => {
    if (state.Type === 'Task') return [[name, state.Resource] as const];
    return state.Type === 'Map' ? tasksOf(state.ItemProcessor) : [];
  });
}

function bucketOfItems({ States }: StateMachineDefinition): string {
  const buckets = Object.values(States).flatMap((state) =>
    state.Type === 'Map' ? [state.ItemReader.Parameters.Bucket] : [],
  );
  const [bucket, ...others] = new Set(buckets);
  if (bucket === undefined || others.length > 0) throw new Error(`items come from ${buckets.join(', ') || 'nowhere'}`);
  return bucket;
}

/** Source: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html */
function unwrap(answer: LambdaAnswer): JsonValue {
  if (answer.kind === 'answer') return JSON.parse(answer.payload) as JsonValue;
  throw Object.assign(new Error(JSON.stringify(answer.error)), { name: answer.error.errorType });
}
