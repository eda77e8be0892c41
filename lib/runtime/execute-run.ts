import { readFile } from 'node:fs/promises';
import { loadStateMachine } from '../asl/load.ts';
import { lowerStateMachine } from '../asl/lower.ts';
import type { StateEvent } from '../asl/state-event.ts';
import type { AfterError } from '../core/failed-run.ts';
import { machineFor } from '../core/optional-states.ts';
import type { HeldRun } from '../core/run.ts';
import { createTurns } from '../core/turns.ts';
import type { StepDeps } from '../lake/deps.ts';
import { keepLock } from '../lake/run/keep-lock.ts';
import { releaseLock } from '../lake/run/lock.ts';
import { readJson } from '../lake/run/run-folder.ts';
import { stateMachineFile } from '../package-files.ts';
import type { JsonValue } from '../ports.ts';
import { besideOthers } from './beside-others.ts';
import { type Actions, guardActions, interruptible } from './interrupt.ts';
import { runStateMachine, type StateHandler, type StateMachineResult } from './state-machine.ts';

/** An execution of a state machine of runs in this process. */
export type RunExecution = {
  /** `medallion`, `maintenance`. */
  readonly machine: string;
  readonly handlers: (deps: StepDeps, lost: AbortSignal) => Readonly<Record<string, StateHandler>>;
  /** The state that opens a run, and those after which it holds no lock any more. */
  readonly opens: string;
  readonly ends: readonly string[];
  readonly input: JsonValue;
  /** Whose lock is kept until the run is open. */
  readonly run: Pick<HeldRun, 'pipeline' | 'run_id' | 'kind'>;
  readonly onEvent?: (event: StateEvent) => void;
  readonly retryIntervalMs?: number;
  readonly interrupted?: AbortSignal;
};

/** How it ended: with which run, and after a failure with which state. */
export type ExecutedRun = {
  readonly outcome: StateMachineResult;
  readonly opened: string;
  /** Ids of the runs that it worked on, in their order: those that were resumed, or were for periods of before, and its own. */
  readonly worked: readonly string[];
  readonly failure: AfterError['state'] | undefined;
};

/** The run that an execution works on, while it does. */
type Held = { run: HeldRun | undefined };

/** What the state that opens a run answers, as far as it matters here. */
type Opened = { readonly status: string; readonly run: HeldRun };

/**
 * Runs the state machine to its end and renews the lock of the run that it works on. Once the execution is interrupted
 * the run stays as it is, its lock is given back when nothing works on it any more, and the signal's reason is thrown.
 */
export async function executeRun(given: StepDeps, execution: RunExecution): Promise<ExecutedRun> {
  const deps = execution.interrupted === undefined ? given : interruptible(given, execution.interrupted);
  const held: Held = { run: undefined };
  return keepLock(deps, { ...execution.run, epoch: () => held.run?.epoch }, (lost) =>
    execute(deps, execution, held, lost),
  );
}

async function execute(given: StepDeps, execution: RunExecution, held: Held, lost: AbortSignal): Promise<ExecutedRun> {
  const { machine, opens, ends } = execution;
  const interrupted = execution.interrupted ?? new AbortController().signal;
  const actions = guardActions(interrupted);
  const { onEvent } = execution;
  const turns = createTurns(given.settings.unitsAtOnce ?? 1);
  const deps = { ...given, turns, ...(turns.atOnce > 1 && { engine: besideOthers(given.engine, turns) }) };
  const handlers = execution.handlers(onEvent === undefined ? deps : { ...deps, onStep: onEvent }, lost);
  const call = async (state: string, input: JsonValue): Promise<JsonValue> => (await handlers[state]?.(input)) ?? null;
  const ending = (state: string): StateHandler => {
    return async (input) => {
      const answer = await call(state, input);
      held.run = undefined;
      return answer;
    };
  };
  let opened = execution.run.run_id;
  const worked: string[] = [];
  let failure: AfterError['state'] | undefined;
  const file = `${machine}.asl.json`;
  const whole = loadStateMachine(await readFile(stateMachineFile(machine), 'utf8'), file);
  const outcome = await runStateMachine({
    definition: lowerStateMachine(
      machine === 'medallion' ? machineFor(whole, await deps.specs(execution.run.pipeline)) : whole,
    ),
    input: execution.input,
    handlers: actions.guardAll({
      ...handlers,
      ...Object.fromEntries(ends.map((state) => [state, ending(state)])),
      [opens]: async (input) => {
        const answer = await call(opens, input);
        const { status, run } = answer as unknown as Opened;
        opened = run.run_id;
        if (status === 'planned') held.run = run;
        if (status === 'planned') worked.push(run.run_id);
        return answer;
      },
      RunFailed: async (input) => {
        failure = (input as unknown as AfterError).state;
        return call('RunFailed', input);
      },
    }),
    interrupted,
    readItems: (key) => readJson(deps.store, key),
    concurrency: turns.atOnce,
    turns,
    ...(execution.retryIntervalMs === undefined ? {} : { retryIntervalMs: execution.retryIntervalMs }),
    ...(execution.onEvent === undefined ? {} : { onEvent: execution.onEvent }),
  });
  if (interrupted.aborted) return leave(deps, held, actions, interrupted);
  return { outcome, opened, worked, failure };
}

async function leave(deps: StepDeps, held: Held, actions: Actions, interrupted: AbortSignal): Promise<never> {
  await actions.settled();
  if (held.run !== undefined) await releaseLock(deps, held.run);
  throw interrupted.reason;
}

/** A run id for a run that was given none. */
export function defaultRunId(deps: Pick<StepDeps, 'clock' | 'ids'>): string {
  const time = deps.clock.now().toISOString().replaceAll(/[-:]/g, '').slice(0, 15);
  return `${time}-${deps.ids.unique()}`;
}

/** The same for one that is not a run of the pipeline, with what it is. */
export function runIdOf(deps: Pick<StepDeps, 'clock' | 'ids'>, what: string): string {
  return defaultRunId(deps).replace('-', `-${what}-`);
}
