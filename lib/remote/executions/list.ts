import { type ExecutionListItem, ListExecutionsCommand, type SFNClient } from '@aws-sdk/client-sfn';
import { awsFailure } from '../../adapters/aws/errors.ts';
import { lastStateOf } from '../execution-events.ts';

/** An execution of one of a pipeline's state machines. */
export type FoundExecution = {
  readonly machine: MachineKind;
  readonly name: string;
  /** As Step Functions says it: RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED. */
  readonly status: string;
  /** Where one is that works; null for the others, and where its history may not be read. */
  readonly state: string | null;
  readonly started_at: string;
  readonly ended_at: string | null;
  readonly redrives: number;
};

export type MachineKind = 'runs' | 'maintenance';

export type Machines = Readonly<Record<MachineKind, string>>;

/**
 * The latest executions of a pipeline, the newest first. Throws InvalidInput for rights that are missing.
 * Source: docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html
 */
export async function listExecutions(
  sfn: SFNClient,
  machines: Machines,
  limit: number,
): Promise<readonly FoundExecution[]> {
  const kinds = Object.keys(machines) as readonly MachineKind[];
  const found = await Promise.all(
    kinds.map(async (machine) => {
      const items = await latestOf(sfn, machines[machine], limit);
      return items.map((item) => ({ machine, item }));
    }),
  );
  const newest = found
    .flat()
    .sort((a, b) => startOf(b.item) - startOf(a.item))
    .slice(0, limit);
  return Promise.all(
    newest.map(async ({ machine, item }) => ({
      machine,
      name: item.name ?? '',
      status: item.status ?? '',
      state: item.status === 'RUNNING' ? await lastStateOf(sfn, item.executionArn ?? '') : null,
      started_at: item.startDate?.toISOString() ?? '',
      ended_at: item.stopDate?.toISOString() ?? null,
      redrives: item.redriveCount ?? 0,
    })),
  );
}

function startOf({ startDate }: ExecutionListItem): number {
  return startDate?.getTime() ?? 0;
}

/** The latest executions of a machine, the newest first: as many as one page has, at most. */
export async function latestOf(
  sfn: SFNClient,
  stateMachineArn: string,
  limit: number,
): Promise<readonly ExecutionListItem[]> {
  try {
    const maxResults = Math.min(limit, MOST_OF_A_PAGE);
    const { executions = [] } = await sfn.send(new ListExecutionsCommand({ stateMachineArn, maxResults }));
    return executions;
  } catch (cause) {
    throw awsFailure({ action: 'states:ListExecutions', resource: stateMachineArn }, cause);
  }
}

export const MOST_OF_A_PAGE = 1_000;
