import {
  DescribeExecutionCommand,
  DescribeStateMachineCommand,
  ListExecutionsCommand,
  type SFNClient,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import type { StateMachineDefinition } from '../../lib/asl/definition.ts';
import { loadStateMachine } from '../../lib/asl/load.ts';
import { lowerStateMachine } from '../../lib/asl/lower.ts';
import type { JsonValue, ObjectStore } from '../../lib/ports.ts';
import { runStateMachine, type StateHandler, type StateMachineResult } from '../../lib/runtime/state-machine.ts';
import { readJson } from '../../lib/steps/run-folder.ts';
import type { LambdaPool } from './lambdas.ts';

/** The definition as it was deployed, its substitutions made. */
export type Machine = { readonly arn: string; readonly definition: StateMachineDefinition };

const RETRY_MS = 100;
const CONCURRENCY = 2;

export async function readMachine(sfn: SFNClient, arn: string): Promise<Machine> {
  const { definition = '' } = await sfn.send(new DescribeStateMachineCommand({ stateMachineArn: arn }));
  const loaded = loadStateMachine(definition, arn);
  if (definition.includes('${')) throw new Error(`${arn} has placeholders that nobody filled in`);
  return { arn, definition: loaded };
}

export type Execution = { readonly arn: string; readonly name: string; readonly input: JsonValue };

/** Executions that were asked for and have not been worked on; each is marked as ended once it has been. */
export async function waitingExecutions(sfn: SFNClient, { arn }: Machine): Promise<readonly Execution[]> {
  const { executions = [] } = await sfn.send(
    new ListExecutionsCommand({ stateMachineArn: arn, statusFilter: 'RUNNING' }),
  );
  return Promise.all(
    executions.map(async ({ executionArn, name = '' }) => {
      const { input = '{}' } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
      return { arn: executionArn ?? '', name, input: JSON.parse(input) as JsonValue };
    }),
  );
}

/** Drives the deployed definition; every Task calls the function that it names. */
export async function runExecution(
  { sfn, store, lambdas }: { readonly sfn: SFNClient; readonly store: ObjectStore; readonly lambdas: LambdaPool },
  { definition }: Machine,
  execution: Execution,
  entry: { readonly state?: string; readonly input?: JsonValue; readonly redrives?: number } = {},
): Promise<StateMachineResult> {
  const lowered = lowerStateMachine(definition);
  const main = entry.state === undefined ? lowered.main : { ...lowered.main, StartAt: entry.state };
  const { arn: Id, name: Name, input: Input } = execution;
  const result = await runStateMachine({
    definition: { ...lowered, main },
    input: entry.input ?? execution.input,
    execution: { Id, Name, Input, ...(entry.redrives === undefined ? {} : { RedriveCount: entry.redrives }) },
    handlers: handlersOf(definition, lambdas),
    readItems: (key) => readJson<JsonValue[]>(store, key),
    concurrency: CONCURRENCY,
    retryIntervalMs: RETRY_MS,
  });
  await sfn.send(new StopExecutionCommand({ executionArn: execution.arn }));
  return result;
}

/** Step Functions redrives an execution by entering the state that failed once more, with the same input. */
export function redrive(
  clients: Parameters<typeof runExecution>[0],
  machine: Machine,
  execution: Execution,
  input: JsonValue,
): Promise<StateMachineResult> {
  return runExecution(clients, machine, execution, { state: 'RunFailed', input, redrives: 1 });
}

function handlersOf(definition: StateMachineDefinition, lambdas: LambdaPool): Readonly<Record<string, StateHandler>> {
  const states = Object.entries(definition.States).flatMap(([name, state]) =>
    state.Type === 'Map' ? Object.entries(state.ItemProcessor.States) : [[name, state] as const],
  );
  return Object.fromEntries(
    states.flatMap(([name, state]) =>
      state.Type === 'Task' ? [[name, (input: JsonValue) => lambdas.invoke(state.Resource, input)] as const] : [],
    ),
  );
}
