import type { DescribeExecutionOutput } from '@aws-sdk/client-sfn';
import { z } from 'zod';
import type { MaintenanceRequest } from '../core/asked.ts';
import * as errors from '../core/errors.ts';
import { InvalidInput, RunFailed, type StrataError } from '../core/errors.ts';
import { errorOfExecution } from '../core/execution-failure.ts';
import type { ExpireAnswer, SweepOperation, Swept, VacuumAnswer } from '../core/maintenance.ts';
import type { OpenInput } from '../core/run.ts';
import { sweepRun } from '../lake/maintain/sweep-plan.ts';
import { readSweepResult } from '../lake/maintain/sweep-result.ts';
import { execute, inputOf, type RemoteRunDeps, type RemoteRunRequest } from './remote-run.ts';

export type RemoteSweep = Pick<RemoteRunRequest, 'pipeline' | 'runId' | 'dryRun' | 'onStarted' | 'onEvent'> &
  Omit<MaintenanceRequest, 'operations'>;

/**
 * Starts an execution of the state machine of a pipeline's maintenance that forgets or removes, and answers as the same does here.
 * Throws what ended the execution otherwise.
 */
export async function sweepRemotely<Operation extends SweepOperation>(
  deps: RemoteRunDeps,
  operation: Operation,
  { table, expire, vacuum, ...request }: RemoteSweep,
): Promise<NonNullable<Swept[Operation]>> {
  const maintenance: MaintenanceRequest = {
    operations: [operation],
    ...(table === undefined ? {} : { table }),
    ...(expire === undefined ? {} : { expire }),
    ...(vacuum === undefined ? {} : { vacuum }),
  };
  const input: OpenInput = { ...inputOf(deps, request), kind: 'maintenance', maintenance };
  const { ended } = await execute(deps, input, request);
  if (ended.status !== 'SUCCEEDED') throw failureOf(ended);
  const answer = input.dry_run
    ? dryAnswer(operation, ended)
    : (await readSweepResult(deps, sweepRun(input, operation)))?.answer;
  // The result of an operation is that operation's.
  if (answer !== undefined) return answer as NonNullable<Swept[Operation]>;
  throw new InvalidInput(
    `execution ${ended.executionArn} did not answer as the state machine of the maintenance of ${input.pipeline} does: got ${ended.output ?? 'no output'}; is --state-machine right?`,
  );
}

const failed = z.array(z.object({ table: z.string(), error: z.string() }));
const common = z.object({ pipeline: z.string(), dry_run: z.boolean(), record: z.string().nullable(), failed });
const OUTPUT = z.object({
  swept: z.object({
    expire: common
      .extend({
        tables: z.array(
          z.object({
            table: z.string(),
            snapshots: z.number(),
            snapshots_left: z.number(),
            readable_since: z.string().nullable(),
            data_files: z.number(),
            data_bytes: z.number(),
            metadata_files: z.number(),
          }),
        ),
      })
      .optional(),
    vacuum: common
      .extend({
        tables: z.array(
          z.object({
            table: z.string(),
            kind: z.enum(['table', 'dropped', 'runs', 'rows', 'names']),
            files: z.number(),
            bytes: z.number(),
            rows: z.number().exactOptional(),
            names: z.number().exactOptional(),
          }),
        ),
        unknown: z.array(z.string()),
      })
      .optional(),
  }),
});

function dryAnswer(
  operation: SweepOperation,
  { output }: DescribeExecutionOutput,
): ExpireAnswer | VacuumAnswer | undefined {
  const parsed = OUTPUT.safeParse(JSON.parse(output ?? 'null'));
  return parsed.success ? parsed.data.swept[operation] : undefined;
}

/** As the state threw it, where its class is one of ours. */
function failureOf(ended: DescribeExecutionOutput): StrataError {
  const { name, message } = errorOfExecution({
    arn: ended.executionArn ?? '',
    status: ended.status ?? '',
    error: ended.error,
    cause: ended.cause,
  });
  const kinds: readonly (new (message: string) => StrataError)[] = [
    ...[errors.InvalidInput, errors.LockHeld, errors.ObjectNotFound, errors.CommitConflict],
    ...[errors.CommitStateUnknown, errors.Unavailable, errors.UnreadableTable, errors.EngineError],
  ];
  const kind = kinds.find((one) => one.name === name);
  return kind === undefined ? new RunFailed(`${name}: ${message}`) : new kind(message);
}
