import {
  DescribeExecutionCommand,
  ListExecutionsCommand,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import type { StateEvent } from '../../lib/asl/state-event.ts';
import type { OpenInput } from '../../lib/core/run.ts';
import type { JsonValue } from '../../lib/ports.ts';
import type { StateMachineResult } from '../../lib/runtime/state-machine.ts';
import { type Deployment, functionNamed, readItems } from './deployment.ts';
import { type QueueMessage, queueBatch } from './events.ts';
import { runExecution } from './execution.ts';
import type { LambdaFunction } from './function.ts';
import { resolve, resourcesOf } from './template.ts';

/** Milliseconds between attempts and of each wait, instead of the definition's 1 to 60 seconds. */
const INTERVAL_MS = 1_000;

export type Delivered = { readonly batches: number; readonly failed: readonly string[] };

/** Calls the Starter with batches of the queue's messages; answers the ids of those that it wants again. */
export async function deliver(
  deployment: Deployment,
  batches: readonly (readonly QueueMessage[])[],
): Promise<Delivered> {
  const starter = functionNamed(deployment, 'starter');
  const failed: string[] = [];
  for (const batch of batches) {
    const queueArn = `arn:aws:sqs:eu-central-1:123456789012:${deployment.stack.name}-uploads`;
    const answer = await deployment.pool.invoke(starter, queueBatch(queueArn, batch, new Date()));
    if (answer.kind === 'error') throw new Error(`the Starter failed: ${JSON.stringify(answer.error)}`);
    const { batchItemFailures } = JSON.parse(answer.payload) as { batchItemFailures: { itemIdentifier: string }[] };
    failed.push(...batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
  }
  return { batches: batches.length, failed };
}

export type Started = { readonly arn: string; readonly name: string; readonly input: JsonValue };

/** Executions that were started and have not been run here. */
export async function startedExecutions({ sfn, machineArn }: Deployment): Promise<readonly Started[]> {
  const list = new ListExecutionsCommand({ stateMachineArn: machineArn, statusFilter: 'RUNNING' });
  const { executions = [] } = await sfn.send(list);
  const started: Started[] = [];
  for (const { executionArn = '', name = '' } of executions) {
    const { input = 'null' } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    started.push({ arn: executionArn, name, input: JSON.parse(input) as JsonValue });
  }
  return started.sort((a, b) => (a.name < b.name ? -1 : 1));
}

export async function countExecutions({ sfn, machineArn }: Deployment): Promise<number> {
  const { executions = [] } = await sfn.send(new ListExecutionsCommand({ stateMachineArn: machineArn }));
  return executions.length;
}

/** Starts what the schedule's target says, as the scheduler does; false when the pipeline has no schedule. */
export async function startAsScheduled({ sfn, stack }: Deployment, executionId: string): Promise<boolean> {
  const schedules = resourcesOf(stack.template, 'AWS::Scheduler::Schedule').map(([, one]) => one['Target']);
  const targets = schedules.map((one) => resolve(one, stack.world) as { Arn: string; Input: string });
  const target = targets.find(({ Input }) => Input.includes('started_by'));
  if (target === undefined) return false;
  const { Arn, Input } = target;
  if (!Arn.endsWith(':aws-sdk:sfn:startExecution')) throw new Error(`the schedule calls ${Arn}`);
  const now = new Date().toISOString();
  const filled = Input.replaceAll('<aws.scheduler.execution-id>', executionId).replaceAll(
    '<aws.scheduler.scheduled-time>',
    now,
  );
  const call = JSON.parse(filled) as Record<string, string>;
  const { StateMachineArn: stateMachineArn, Name: name, Input: input } = call;
  await sfn.send(new StartExecutionCommand({ stateMachineArn, name, input }));
  return true;
}

/** Starts an execution by hand, as the command line does. */
export async function startByHand({ sfn, machineArn }: Deployment, input: OpenInput): Promise<void> {
  await sfn.send(
    new StartExecutionCommand({ stateMachineArn: machineArn, name: input.run_id, input: JSON.stringify(input) }),
  );
}

export type Ended = {
  readonly started: Started;
  readonly result: StateMachineResult;
  readonly events: readonly StateEvent[];
  /** What the state RunFailed was given, if the execution came there. */
  readonly failure: JsonValue | undefined;
  /** ARNs of the functions that its states called. */
  readonly called: ReadonlySet<string>;
};

export type RunChanges = {
  /** Called before each Task state calls its function. */
  readonly onTask?: (state: string) => Promise<void>;
  /** Stands in for the deployed function of that name, such as `open`. */
  readonly functions?: Readonly<Record<string, LambdaFunction>>;
  /** Called when an execution waits for a call back. */
  readonly onWait?: () => Promise<void>;
  /** Milliseconds after which it has waited too long, in place of the definition's own. */
  readonly waitMs?: number;
  /** Enters the definition once more at a state that failed, with the input that this had. */
  readonly redrive?: { readonly state: string; readonly input: JsonValue; readonly count: number };
};

/** Runs executions that were started, at the same time, and closes them in Step Functions so that their names stay taken. */
export async function runStarted(
  deployment: Deployment,
  started: readonly Started[],
  changes: RunChanges = {},
): Promise<readonly Ended[]> {
  const ended = await Promise.all(started.map((one) => runOne(deployment, one, changes)));
  for (const { arn } of started) await deployment.sfn.send(new StopExecutionCommand({ executionArn: arn }));
  return ended;
}

async function runOne(deployment: Deployment, started: Started, changes: RunChanges): Promise<Ended> {
  const events: StateEvent[] = [];
  const runFailed = functionNamed(deployment, 'run-failed').name;
  const called = new Set<string>();
  let failure: JsonValue | undefined;
  const { redrive, onTask, onWait, waitMs } = changes;
  const { definition } = deployment;
  const result = await runExecution({
    definition: redrive === undefined ? definition : definitionFrom(definition, redrive.state),
    input: redrive?.input ?? started.input,
    functionsByArn: deployment.functionsByArn,
    callbacks: deployment.gateway.callbacks,
    machineArn: deployment.machineArn,
    ...(onTask === undefined ? {} : { onTask }),
    ...(onWait === undefined ? {} : { onWait }),
    ...(waitMs === undefined ? {} : { waitMs }),
    invoke: (fn, input, arn) => {
      called.add(arn);
      if (fn.name === runFailed) failure = input;
      return deployment.pool.invoke(changes.functions?.[fn.name.slice(deployment.stack.name.length + 1)] ?? fn, input);
    },
    readItems: (bucket, key) => readItems(deployment, bucket, key),
    execution: {
      Id: started.arn,
      Name: started.name,
      Input: started.input,
      ...(redrive === undefined ? {} : { RedriveCount: redrive.count }),
    },
    intervalMs: INTERVAL_MS,
    onEvent: (event) => events.push(event),
  });
  return { started, result, events, failure, called };
}

/** The deployed definition, entered where a redrive enters it: at the state that failed. */
function definitionFrom(definition: string, state: string): string {
  const machine = JSON.parse(definition) as { States: Record<string, { Next?: string }> };
  if (machine.States[state] === undefined) throw new Error(`the definition has no state ${state}`);
  return JSON.stringify({ ...machine, StartAt: state });
}

/** Kills the environment of a function at the first call of AWS that `isMoment` picks; answers which it was. */
export function killAt(
  { gateway, pool, stack }: Deployment,
  name: string,
  isMoment: (action: string, resource: string) => boolean,
): { killed(): string | undefined; stop(): void } {
  let killed: string | undefined;
  const stop = gateway.onCall(({ principal, action, resources }) => {
    const own = principal.startsWith(`${stack.name}-${name}.`);
    if (killed !== undefined || !own || !isMoment(action, resources.join())) return;
    killed = `${principal} at ${action} ${resources.at(-1)}`;
    pool.kill(principal);
  });
  return { killed: () => killed, stop };
}

/** A file of a table, by whichever worker. */
export function isDataFile(action: string, key: string): boolean {
  return action === 's3:PutObject' && key.includes('/data/');
}
