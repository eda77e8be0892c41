import {
  DescribeExecutionCommand,
  type DescribeExecutionOutput,
  type ExecutionListItem,
  RedriveExecutionCommand,
  type SFNClient,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { z } from 'zod';
import { awsFailure, sdkErrorOf } from '../../adapters/aws/errors.ts';
import { InvalidInput } from '../../core/errors.ts';
import { answerOf, executionArnOf, follow, type RemoteRunDeps, type RemoteRunRequest } from '../remote-run.ts';
import type { RunAnswer } from '../run-request.ts';
import { latestOf } from './list.ts';

export type RedriveRequest = Pick<RemoteRunRequest, 'onStarted' | 'onEvent'> & {
  readonly pipeline: string;
  /** The name of the execution, which is the id of its run; left out: of the latest one that has failed. */
  readonly name?: string;
};

export type RedriveDeps = Pick<RemoteRunDeps, 'sfn' | 'store' | 'stateMachineArn' | 'wait'>;

const INPUT = z.object({ pipeline: z.string(), run_id: z.string(), dry_run: z.boolean().default(false) });

/**
 * Starts an execution that failed, timed out or was stopped once more where it ended, with the code that it began with, follows it and answers
 * as its run does. Throws InvalidInput for one that cannot be redriven, and for rights that are missing.
 * Source: docs.aws.amazon.com/step-functions/latest/apireference/API_RedriveExecution.html
 */
export async function redriveRemotely(deps: RedriveDeps, request: RedriveRequest): Promise<RunAnswer> {
  const { sfn, stateMachineArn } = deps;
  const name = request.name ?? (await latestFailure(sfn, stateMachineArn, request.pipeline));
  const executionArn = executionArnOf(stateMachineArn, name);
  const before = await describe(deps, request.pipeline, name);
  const input = INPUT.safeParse(JSON.parse(before.input ?? 'null'));
  if (!input.success) throw new InvalidInput(`execution ${executionArn} is no run of pipeline ${request.pipeline}`);
  try {
    await sfn.send(new RedriveExecutionCommand({ executionArn }));
  } catch (cause) {
    if (sdkErrorOf(cause).name !== 'ExecutionNotRedrivable') {
      throw awsFailure({ action: 'states:RedriveExecution', resource: executionArn }, cause);
    }
    const why = before.redriveStatusReason ?? (cause instanceof Error ? cause.message : String(cause));
    throw new InvalidInput(
      `execution ${name} is ${before.status}, and cannot be redriven: ${why}; expected one that failed, timed out or was stopped less than 14 days ago. Otherwise strata run --aws ${request.pipeline} finishes what was begun`,
      [],
      { cause },
    );
  }
  request.onStarted?.(executionArn);
  // Step Functions may answer for a while as before.
  const count = before.redriveCount ?? 0;
  const ended = await follow(deps, executionArn, request.onEvent, (found) => (found.redriveCount ?? 0) > count);
  return answerOf(deps, input.data, { ended, again: false });
}

/** Ends an execution at once. What it has begun is finished by the next run, once its lock has ended. */
export async function stopRemotely(
  { sfn, stateMachineArn }: Pick<RedriveDeps, 'sfn' | 'stateMachineArn'>,
  { pipeline, name }: { readonly pipeline: string; readonly name: string },
): Promise<void> {
  const { status } = await describe({ sfn, stateMachineArn }, pipeline, name);
  if (status !== 'RUNNING') throw new InvalidInput(`execution ${name} is ${status}: expected one that works`);
  const executionArn = executionArnOf(stateMachineArn, name);
  try {
    await sfn.send(new StopExecutionCommand({ executionArn, cause: 'stopped by strata executions stop' }));
  } catch (cause) {
    throw awsFailure({ action: 'states:StopExecution', resource: executionArn }, cause);
  }
}

const FAILURES: readonly (string | undefined)[] = ['FAILED', 'TIMED_OUT', 'ABORTED'];
/** A failure that is further back is named. */
const LOOKED_AT = 100;

async function latestFailure(sfn: SFNClient, stateMachineArn: string, pipeline: string): Promise<string> {
  const latest = await latestOf(sfn, stateMachineArn, LOOKED_AT);
  const failure = latest.find(({ status }) => FAILURES.includes(status));
  if (failure?.name !== undefined) return failure.name;
  throw new InvalidInput(
    `none of the latest executions of pipeline ${pipeline} has failed: got ${namesOf(latest)}; expected one to redrive`,
  );
}

async function describe(
  { sfn, stateMachineArn }: Pick<RedriveDeps, 'sfn' | 'stateMachineArn'>,
  pipeline: string,
  name: string,
): Promise<DescribeExecutionOutput> {
  const executionArn = executionArnOf(stateMachineArn, name);
  try {
    return await sfn.send(new DescribeExecutionCommand({ executionArn }));
  } catch (cause) {
    if (sdkErrorOf(cause).name !== 'ExecutionDoesNotExist') {
      throw awsFailure({ action: 'states:DescribeExecution', resource: executionArn }, cause);
    }
    const latest = namesOf(await latestOf(sfn, stateMachineArn, LOOKED_AT));
    throw new InvalidInput(
      `pipeline ${pipeline} has no execution ${name}: expected one of the latest (${latest})`,
      [],
      {
        cause,
      },
    );
  }
}

const NAMED = 5;

function namesOf(items: readonly ExecutionListItem[]): string {
  if (items.length === 0) return 'none';
  const named = items.slice(0, NAMED).map(({ name, status }) => `${name} ${status}`);
  return `${named.join(', ')}${items.length > NAMED ? ', ...' : ''}`;
}
