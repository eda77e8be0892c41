import {
  isCallback,
  type MapState,
  type State,
  type StateMachineDefinition,
  TASK_TOKEN,
  type TaskState,
} from './definition.ts';

/**
 * What a Distributed Map becomes on one machine: a Task that reads the items, and `items`, a machine of its own that
 * maps over them. It is run by that Task, so the payload of the main machine never holds an item.
 */
export type LoweredMap = {
  /** An inline Map over the context's `$$.Strata.Items`, `$$.Strata.Concurrency` at once; no item stops the others. */
  readonly items: LoweredDefinition;
  /** The state by which an item begins, as a child execution does. */
  readonly item: string;
  /** The state that an item reaches by failing; its input is `{ Error, Cause }`. */
  readonly failed: string;
  /** Task states of the items. */
  readonly tasks: readonly string[];
  /** 0: no bound of its own. */
  readonly maxConcurrency: number;
  /** The map fails once more items than this failed, or a greater share of them, in percent; null: no such bound. */
  readonly tolerated: { readonly count: number | null; readonly percentage: number | null };
};

/** A definition in the words of the local runner. */
export type LoweredDefinition = { readonly StartAt: string; readonly States: Readonly<Record<string, object>> };

export type LoweredMachine = {
  readonly main: LoweredDefinition;
  /** By the name of the Map state, which is a Task in `main`. Its input is `{ key, input }`. */
  readonly maps: Readonly<Record<string, LoweredMap>>;
  /** Task states outside maps. */
  readonly tasks: readonly string[];
};

/**
 * Longest time that the local runner's timer can hold, in seconds. A step cannot be stopped from outside on one machine,
 * so a timeout would start it a second time beside itself; and without one the runner assumes 60 seconds.
 */
const NO_TIMEOUT = 2_147_483;

/**
 * Rewrites a machine into what `aws-local-stepfunctions` 3.0.0 runs: it knows no distributed mode, ItemReader,
 * ResultWriter, tolerated failures or callbacks. Retries, catchers, paths and choices stay as they are.
 * Source: https://github.com/nibble-4bits/aws-local-stepfunctions/blob/main/docs/feature-support.md
 */
export function lowerStateMachine(machine: StateMachineDefinition): LoweredMachine {
  const states = Object.entries(machine.States);
  const maps = states.flatMap(([name, state]) =>
    state.Type === 'Map' ? [[name, lowerMap(name, state)] as const] : [],
  );
  return {
    main: { StartAt: machine.StartAt, States: lowerStates(machine.States) },
    maps: Object.fromEntries(maps),
    tasks: tasksIn(machine.States),
  };
}

function lowerStates(states: Readonly<Record<string, State>>): Record<string, object> {
  return Object.fromEntries(Object.entries(states).map(([name, state]) => [name, lowerState(state)]));
}

function lowerState(state: State): object {
  switch (state.Type) {
    case 'Task':
      return isCallback(state.Resource) ? callbackTask(state) : { ...state, TimeoutSeconds: NO_TIMEOUT };
    case 'Map':
      return readerTask(state);
    case 'Pass':
    case 'Choice':
    case 'Wait':
    case 'Succeed':
    case 'Fail':
      return state;
  }
}

/**
 * The function is called, with all but the token, and then the execution ends with the input of the state: no process waits for days.
 * Whoever calls back begins another.
 */
function callbackTask({ TimeoutSecondsPath: _seconds, Next: _next, Parameters, ...state }: TaskState): object {
  const payload = Object.entries(Object(Parameters?.['Payload'])).filter(([, value]) => value !== TASK_TOKEN);
  return { ...state, Parameters: Object.fromEntries(payload), TimeoutSeconds: NO_TIMEOUT, End: true };
}

function readerTask({ ItemReader, ResultPath, Catch, Next, End }: MapState): TaskState {
  return {
    Type: 'Task',
    Resource: ItemReader.Resource,
    TimeoutSeconds: NO_TIMEOUT,
    Parameters: { 'key.$': ItemReader.Parameters['Key.$'], 'input.$': '$' },
    ResultPath,
    ...(Catch === undefined ? {} : { Catch }),
    ...(Next === undefined ? {} : { Next }),
    ...(End === undefined ? {} : { End }),
  };
}

function lowerMap(name: string, state: MapState): LoweredMap {
  const { ItemProcessor, ItemSelector } = state;
  const item = `${name} item`;
  const failed = `${name} item failed`;
  const states = {
    [item]: {
      Type: 'Parallel',
      Branches: [{ StartAt: ItemProcessor.StartAt, States: lowerStates(ItemProcessor.States) }],
      ResultSelector: { succeeded: true },
      Catch: [{ ErrorEquals: ['States.ALL'], Next: failed }],
      End: true,
    },
    [failed]: { Type: 'Task', Resource: 'local', End: true },
  };
  const map = {
    Type: 'Map',
    ItemsPath: '$$.Strata.Items',
    MaxConcurrencyPath: '$$.Strata.Concurrency',
    ...(ItemSelector === undefined ? {} : { ItemSelector }),
    ItemProcessor: { StartAt: item, States: states },
    End: true,
  };
  return {
    items: { StartAt: name, States: { [name]: map } },
    item,
    failed,
    tasks: tasksIn(ItemProcessor.States),
    maxConcurrency: state.MaxConcurrency ?? 0,
    tolerated: toleranceOf(state),
  };
}

/** Without either field not one item may fail. */
function toleranceOf({ ToleratedFailureCount, ToleratedFailurePercentage }: MapState): LoweredMap['tolerated'] {
  const none = ToleratedFailureCount === undefined && ToleratedFailurePercentage === undefined;
  return { count: none ? 0 : (ToleratedFailureCount ?? null), percentage: ToleratedFailurePercentage ?? null };
}

function tasksIn(states: Readonly<Record<string, State>>): readonly string[] {
  return Object.entries(states).flatMap(([name, { Type }]) => (Type === 'Task' ? [name] : []));
}
