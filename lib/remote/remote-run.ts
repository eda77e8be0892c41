import {
  DescribeExecutionCommand,
  type DescribeExecutionOutput,
  ExecutionAlreadyExists,
  type SFNClient,
  StartExecutionCommand,
  StateMachineDoesNotExist,
} from '@aws-sdk/client-sfn';
import { z } from 'zod';
import { awsFailure } from '../adapters/aws/errors.ts';
import { askedOf } from '../core/asked.ts';
import { InvalidInput, Unavailable } from '../core/errors.ts';
import { errorOfExecution } from '../core/execution-failure.ts';
import type { Awaiting } from '../core/promote.ts';
import type { OpenInput, RunRef, RunResult } from '../core/run.ts';
import { checkRunId, LONGEST_RUN_ID, readJson, readJsonIfAny, runFolder } from '../lake/run/run-folder.ts';
import { failedResult } from '../lake/run/run-records.ts';
import type { Clock, Ids, ObjectStore } from '../ports.ts';
import { awaitingRun } from '../query/gate/awaiting-runs.ts';
import { createHistoryReader, readEventsAfter } from './execution-events.ts';
import type { RunAnswer, RunRequest } from './run-request.ts';

export type RemoteRunDeps = {
  readonly sfn: SFNClient;
  /** Reads the ops bucket, where runs leave their results. */
  readonly store: ObjectStore;
  readonly stateMachineArn: string;
  readonly clock: Clock;
  readonly ids: Pick<Ids, 'unique'>;
  readonly wait: (ms: number) => Promise<void>;
};

export type RemoteRunRequest = Omit<RunRequest, 'retryIntervalMs' | 'waitMs' | 'onWait'> & {
  /** Called once the execution is known to be under way. */
  readonly onStarted?: (executionArn: string) => void;
};

/**
 * Starts an execution of a pipeline's state machine, follows it to its end and answers as a local run does. A run_id
 * that was used before starts nothing: the answer is the first one's. Throws InvalidInput for rights that are missing
 * and for a state machine that is not there, Unavailable when AWS cannot be asked any longer.
 * Source: docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
 */
export async function runRemotely(deps: RemoteRunDeps, request: RemoteRunRequest): Promise<RunAnswer> {
  const input = inputOf(deps, request);
  const { arn, again } = await start(deps, input);
  request.onStarted?.(arn);
  let waits: Awaiting | undefined;
  const ended = await follow(deps, arn, request.onEvent, undefined, async () => {
    // To look is a courtesy as well: S3 says that nothing is there only to those who may list.
    const found = input.dry_run ? undefined : await awaitingRun(deps, input.pipeline, deps.clock.now()).catch(unseen);
    waits = found?.awaiting;
    return waits !== undefined;
  });
  // It waits for a person, for days maybe; the command does not.
  if (waits !== undefined && ended.status === 'RUNNING')
    return { kind: 'awaiting', pipeline: input.pipeline, awaiting: waits, own: waits.run_id === input.run_id };
  return answerOf(deps, input, { ended, again });
}

function unseen(cause: unknown): undefined {
  if (!(cause instanceof InvalidInput)) throw cause;
}

/** What an execution of a run that has ended answers, by what it was started with. */
export function answerOf(
  deps: Pick<RemoteRunDeps, 'store'>,
  input: Pick<OpenInput, 'pipeline' | 'run_id' | 'dry_run'>,
  { ended, again }: { readonly ended: DescribeExecutionOutput; readonly again: boolean },
): Promise<RunAnswer> {
  return ended.status === 'SUCCEEDED' ? succeeded(deps, input, ended, again) : failed(deps, input, ended, again);
}

/** Starts an execution and follows it to its end. */
export async function execute(
  deps: RemoteRunDeps,
  input: OpenInput,
  { onStarted, onEvent }: Pick<RemoteRunRequest, 'onStarted' | 'onEvent'>,
): Promise<{ readonly ended: DescribeExecutionOutput; readonly again: boolean }> {
  const { arn, again } = await start(deps, input);
  onStarted?.(arn);
  return { ended: await follow(deps, arn, onEvent), again };
}

/** What an execution is started with. */
export function inputOf({ clock, ids }: Pick<RemoteRunDeps, 'clock' | 'ids'>, request: RemoteRunRequest): OpenInput {
  const time = clock.now().toISOString().replaceAll(/[-:]/g, '').slice(0, 15);
  return {
    pipeline: request.pipeline,
    run_id: request.runId === undefined ? `${time}-${ids.unique()}` : checkRunId(request.runId),
    dry_run: request.dryRun ?? false,
    wait: true,
    ...askedOf(request),
  };
}

async function start(
  deps: RemoteRunDeps,
  input: OpenInput,
): Promise<{ readonly arn: string; readonly again: boolean }> {
  const { stateMachineArn } = deps;
  const name = executionName(deps, input);
  try {
    const command = new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) });
    const { executionArn } = await deps.sfn.send(command);
    return { arn: executionArn ?? executionArnOf(stateMachineArn, name), again: false };
  } catch (cause) {
    if (cause instanceof ExecutionAlreadyExists) return { arn: executionArnOf(stateMachineArn, name), again: true };
    if (cause instanceof StateMachineDoesNotExist) {
      throw new InvalidInput(
        `no state machine ${stateMachineArn}: run npx cdk deploy --all, or name one that exists with --state-machine`,
        [],
        { cause },
      );
    }
    throw awsFailure({ action: 'states:StartExecution', resource: stateMachineArn }, cause);
  }
}

/** A dry run uses up no run_id, so its execution must not use up the name. */
function executionName({ ids }: RemoteRunDeps, { run_id, dry_run }: OpenInput): string {
  if (!dry_run) return run_id;
  const suffix = `-dry-${ids.unique()}`;
  return `${run_id.slice(0, LONGEST_RUN_ID - suffix.length)}${suffix}`;
}

/** The ARN of the execution of a name. */
export function executionArnOf(stateMachineArn: string, name: string): string {
  return `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
}

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 10_000;
/** Looks in a row that may fail for a passing reason, each after the SDK's own attempts. */
const PATIENCE = 5;

/**
 * `isSeen`: whether an answer knows already of what was asked for just now. `waits`: whether it waits for something that one does not wait
 * for; then it may be running still.
 */
export async function follow(
  deps: Pick<RemoteRunDeps, 'sfn' | 'wait'>,
  executionArn: string,
  onEvent: RunRequest['onEvent'],
  isSeen: (found: DescribeExecutionOutput) => boolean = () => true,
  waits: () => Promise<boolean> = async () => false,
): Promise<DescribeExecutionOutput> {
  const history = onEvent === undefined ? undefined : followHistory(deps, executionArn, onEvent);
  let pause = FIRST_WAIT_MS;
  let failures = 0;
  for (;;) {
    try {
      const ended = await deps.sfn.send(new DescribeExecutionCommand({ executionArn }));
      failures = 0;
      await history?.();
      if (ended.status !== 'RUNNING' && isSeen(ended)) return ended;
      if (ended.status === 'RUNNING' && (await waits())) return ended;
    } catch (cause) {
      const failure = awsFailure({ action: 'states:DescribeExecution', resource: executionArn }, cause);
      failures += 1;
      if (!(failure instanceof Unavailable) || failures >= PATIENCE) throw failure;
    }
    await deps.wait(pause);
    pause = Math.min(LONGEST_WAIT_MS, pause * 1.5);
  }
}

/** Progress is a courtesy: what keeps it from being read, such as a missing right, does not end the run's command. */
function followHistory(
  { sfn }: Pick<RemoteRunDeps, 'sfn'>,
  executionArn: string,
  onEvent: NonNullable<RunRequest['onEvent']>,
): () => Promise<void> {
  const read = createHistoryReader(onEvent);
  let last = 0;
  return async () => {
    const events = await readEventsAfter(sfn, executionArn, last).catch(() => []);
    for (const event of events) read(event);
    last = events.at(-1)?.id ?? last;
  };
}

const OUTPUT = z.object({
  status: z.enum(['planned', 'nothing', 'done', 'coalesced', 'awaiting']),
  awaited: z
    .object({
      run_id: z.string(),
      since: z.string(),
      expires_at: z.string(),
      digest: z.string(),
      because: z.array(z.string()),
    })
    .exactOptional(),
  behind: z.object({ run_id: z.string() }).optional(),
  run: z.object({ pipeline: z.string(), run_id: z.string(), dry_run: z.boolean() }),
  skipped: z
    .object({ count: z.number(), names: z.array(z.object({ name: z.string(), reason: z.string() })) })
    .default({ count: 0, names: [] }),
  suspended: z.array(z.object({ source: z.string(), file: z.string(), reason: z.string() })).default([]),
  removed: z.array(z.object({ table: z.string(), rows: z.number(), bytes: z.number() })).default([]),
  branch_done: z
    .object({
      name: z.string(),
      period: z.string().nullable(),
      why: z.enum(['done', 'missed', 'none']),
      run_id: z.string().exactOptional(),
      finished_at: z.string().exactOptional(),
    })
    .optional(),
  branches: z.array(z.string()).optional(),
});

type Asked = Pick<OpenInput, 'pipeline' | 'run_id' | 'dry_run'>;

async function succeeded(
  { store }: Pick<RemoteRunDeps, 'store'>,
  input: Asked,
  { executionArn, output }: DescribeExecutionOutput,
  again: boolean,
): Promise<RunAnswer> {
  const parsed = OUTPUT.safeParse(JSON.parse(output ?? 'null'));
  if (!parsed.success) {
    throw new InvalidInput(
      `execution ${executionArn} did not answer as the state machine of pipeline ${input.pipeline} does: got ${output ?? 'no output'}; is --state-machine right?`,
    );
  }
  const { status, run, behind, awaited, skipped, suspended, removed, branch_done: branch, branches } = parsed.data;
  if (awaited !== undefined)
    return { kind: 'awaiting', pipeline: input.pipeline, awaiting: awaited, own: awaited.run_id === input.run_id };
  if (status === 'coalesced') {
    const message = `execution ${executionArn} ended as coalesced: run ${behind?.run_id ?? 'of another'} does what it was started for`;
    return { kind: 'locked', message };
  }
  if (status === 'nothing') {
    const left = { ...(branch && { branch }), ...(branches && { branches }) };
    return { kind: 'nothing', pipeline: input.pipeline, runId: input.run_id, skipped, suspended, removed, ...left };
  }
  const result = await readJson<RunResult>(store, runFolder.result(run));
  return { kind: 'ended', result, again: again || status === 'done' };
}

async function failed(
  { store }: Pick<RemoteRunDeps, 'store'>,
  { pipeline, run_id, dry_run }: Asked,
  ended: DescribeExecutionOutput,
  again: boolean,
): Promise<RunAnswer> {
  const error = errorOfExecution({
    arn: ended.executionArn ?? '',
    status: ended.status ?? '',
    error: ended.error,
    cause: ended.cause,
  });
  if (error.name === 'LockHeld') return { kind: 'locked', message: error.message };
  const run: RunRef = { pipeline, run_id, dry_run };
  const recorded = await readJsonIfAny<RunResult>(store, runFolder.result(run));
  const ms = (ended.stopDate?.getTime() ?? 0) - (ended.startDate?.getTime() ?? 0);
  const begun = recorded !== undefined || (await store.head(runFolder.plan(run))) !== undefined;
  const refused = error.name === 'InvalidInput' && !begun ? ({ refused: true } as const) : {};
  return { kind: 'ended', result: recorded ?? failedResult(run, error, ms), again, ...refused };
}
