import type { DescribeExecutionOutput } from '@aws-sdk/client-sfn';
import { z } from 'zod';
import { InvalidInput } from '../core/errors.ts';
import { errorOfExecution } from '../core/execution-failure.ts';
import type { CompactedTable, MaintenanceResult } from '../core/maintenance.ts';
import type { OpenInput } from '../core/run.ts';
import { readJson, runFolder } from '../lake/run/run-folder.ts';
import type { CompactionAnswer, CompactionRequest } from './compaction.ts';
import { execute, inputOf, type RemoteRunDeps, type RemoteRunRequest } from './remote-run.ts';

export type RemoteCompaction = Omit<CompactionRequest, 'retryIntervalMs' | 'interrupted'> &
  Pick<RemoteRunRequest, 'onStarted'>;

/** Starts an execution of the state machine of a pipeline's maintenance, and answers as a local compaction does. */
export async function compactRemotely(deps: RemoteRunDeps, request: RemoteCompaction): Promise<CompactionAnswer> {
  const input: OpenInput = { ...inputOf(deps, request), kind: 'maintenance' };
  const { ended } = await execute(deps, input, request);
  return ended.status === 'SUCCEEDED' ? succeeded(deps, input, ended) : failed(input, ended);
}

const reasons = z.object({ small: z.number(), large: z.number(), order: z.number(), deleted: z.number() }).partial();
const compacted = z.object({
  table: z.string(),
  partitions: z.number(),
  files: z.number(),
  bytes: z.number(),
  rows: z.number(),
  files_after: z.number(),
  bytes_after: z.number().nullable(),
  reasons,
  manifests: z.object({ merged: z.number(), into: z.number() }).optional(),
});
const line = z.object({
  service: z.enum(['Lambda', 'Step Functions', 'S3']),
  item: z.string(),
  quantity: z.number(),
  unit: z.string(),
  usd: z.number(),
});
const cost = z.object({
  region: z.string(),
  prices_checked: z.string(),
  lines: z.array(line),
  usd: z.number(),
  seconds: z.number(),
});
const OUTPUT = z.object({
  status: z.enum(['planned', 'nothing', 'done']),
  round: z.number(),
  run: z.object({ pipeline: z.string(), run_id: z.string(), dry_run: z.boolean(), kind: z.literal('maintenance') }),
  plan: z.array(compacted).optional(),
  cost: cost.optional(),
});

async function succeeded(
  { store }: RemoteRunDeps,
  { pipeline }: OpenInput,
  { executionArn, output }: DescribeExecutionOutput,
): Promise<CompactionAnswer> {
  const parsed = OUTPUT.safeParse(JSON.parse(output ?? 'null'));
  if (!parsed.success) {
    throw new InvalidInput(
      `execution ${executionArn} did not answer as the state machine of the maintenance of ${pipeline} does: got ${output ?? 'no output'}; is --state-machine right?`,
    );
  }
  const { status, plan, run } = parsed.data;
  if (plan !== undefined) {
    return { kind: 'planned', tables: plan as readonly CompactedTable[], cost: parsed.data.cost ?? null };
  }
  if (status === 'nothing') return { kind: 'nothing' };
  return { kind: 'ended', result: await readJson<MaintenanceResult>(store, runFolder.result(run)) };
}

function failed({ pipeline, run_id }: OpenInput, ended: DescribeExecutionOutput): CompactionAnswer {
  const error = errorOfExecution({
    arn: ended.executionArn ?? '',
    status: ended.status ?? '',
    error: ended.error,
    cause: ended.cause,
  });
  if (error.name === 'LockHeld') return { kind: 'locked', message: error.message };
  const ms = (ended.stopDate?.getTime() ?? 0) - (ended.startDate?.getTime() ?? 0);
  const nothing = { tables: [], left: [], rounds: 0, duration_ms: ms };
  return { kind: 'ended', result: { run_id, pipeline, kind: 'compact', status: 'FAILED', ...nothing, error } };
}
