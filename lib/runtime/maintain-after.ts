import type { ExpireOptions, MaintenanceOperation } from '../core/asked.ts';
import { StrataError } from '../core/errors.ts';
import type { MaintenanceDue } from '../core/maintenance-due.ts';
import type { StepDeps } from '../lake/deps.ts';
import type { FollowUp } from '../remote/follow-up.ts';
import type { RunRequest } from '../remote/run-request.ts';
import { compactTables } from './compact.ts';
import { type ExpireRequest, expireTables, vacuumTables } from './maintain.ts';

type Done = FollowUp['done'][number];
type Request = Pick<RunRequest, 'pipeline' | 'interrupted' | 'onEvent' | 'retryIntervalMs'>;

/**
 * Does what is due once a run has ended. What fails is named and the rest is done: the run itself is not touched by it, and what was
 * not done is due again some runs later. Throws the reason of a signal that interrupts it.
 */
export async function maintainAfter(deps: StepDeps, request: Request, due: MaintenanceDue): Promise<FollowUp> {
  const done: Done[] = [];
  const failed: FollowUp['failed'][number][] = [];
  for (const operation of due.request.operations) {
    try {
      const { left, ...outcome } = await act(deps, request, due.request, operation);
      done.push({ operation, ...outcome });
      failed.push(...left.map((error) => ({ operation, error })));
    } catch (cause) {
      request.interrupted?.throwIfAborted();
      if (!(cause instanceof StrataError)) throw cause;
      failed.push({ operation, error: cause.message });
    }
  }
  return { why: due.why, done, failed };
}

type Acted = Omit<Done, 'operation'> & {
  /** What was left as it is. */
  readonly left: readonly string[];
};

async function act(
  deps: StepDeps,
  request: Request,
  { expire = {}, vacuum = {} }: MaintenanceDue['request'],
  operation: MaintenanceOperation,
): Promise<Acted> {
  const { pipeline: target, ...rest } = request;
  switch (operation) {
    case 'compact':
      return compactAll(deps, request);
    case 'expire': {
      const { tables, failed } = await expireTables(deps, { target, ...rest, ...askedOf(expire) });
      return { files: sum(tables.map((one) => one.data_files + one.metadata_files)), left: named(failed) };
    }
    case 'vacuum': {
      const { tables, failed } = await vacuumTables(deps, { target, ...rest, ...askedOf(vacuum) });
      return { files: sum(tables.map(({ files }) => files)), left: named(failed) };
    }
  }
}

function askedOf({ older_than_ms, keep }: ExpireOptions): Pick<ExpireRequest, 'olderThanMs' | 'keep'> {
  return {
    ...(older_than_ms === undefined ? {} : { olderThanMs: older_than_ms }),
    ...(keep === undefined ? {} : { keep }),
  };
}

async function compactAll(deps: StepDeps, request: Request): Promise<Acted> {
  const answer = await compactTables(deps, { ...request, compact: {} });
  if (answer.kind === 'locked') return { files: 0, left: [answer.message] };
  if (answer.kind !== 'ended') return { files: 0, left: [] };
  const { tables, left, error } = answer.result;
  return {
    files: sum(tables.map(({ files }) => files)),
    left: [
      ...(error === null ? [] : [error.message]),
      ...left.map(({ table, partition, reason }) => `${[table, partition].join(' ').trim()}: ${reason}`),
    ],
  };
}

function named(failed: readonly { readonly table: string; readonly error: string }[]): readonly string[] {
  return failed.map(({ table, error }) => `${table}: ${error}`);
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
