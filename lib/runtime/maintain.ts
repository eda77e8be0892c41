import type { StateEvent } from '../asl/state-event.ts';
import type { ExpireOptions } from '../core/asked.ts';
import { InvalidInput, type StrataError, Unavailable } from '../core/errors.ts';
import type { ExpireAnswer, MaintenanceState, SweepOperation, Swept, VacuumAnswer } from '../core/maintenance.ts';
import type { OpenInput } from '../core/run.ts';
import { fullName, type TableId } from '../core/tables.ts';
import type { StepDeps } from '../lake/deps.ts';
import { requireNoRollback } from '../lake/maintain/rollback.ts';
import { checkSweeps, sweepRun, tablesOf } from '../lake/maintain/sweep-plan.ts';
import { readSweepResult } from '../lake/maintain/sweep-result.ts';
import { readOpenRun } from '../lake/run/open-run.ts';
import { checkRunId } from '../lake/run/run-folder.ts';
import type { JsonValue } from '../ports.ts';
import { findTable, tableIdIfAny } from '../query/find-table.ts';
import { executeRun, runIdOf } from './execute-run.ts';
import { maintenanceHandlers } from './handlers.ts';
import type { StateHandler } from './state-machine.ts';

export type MaintainRequest = {
  /** A pipeline, or a table by full name. */
  readonly target: string;
  /** Milliseconds; left out: a week. */
  readonly olderThanMs?: number;
  readonly forceRetention?: boolean;
  readonly dryRun?: boolean;
  readonly runId?: string;
  readonly interrupted?: AbortSignal;
  readonly onEvent?: (event: StateEvent) => void;
  readonly retryIntervalMs?: number;
};

export type ExpireRequest = MaintainRequest & {
  /** So many of the latest snapshots stay, however old they are. */
  readonly keep?: number;
};

/**
 * Forgets old snapshots of one table or of all tables of a pipeline, its books among them, and removes the files that
 * only they had. Throws InvalidInput for an unknown target and for less than a week that is not forced; LockHeld where a
 * run works and it is less than a week.
 */
export async function expireTables(deps: StepDeps, request: ExpireRequest): Promise<ExpireAnswer> {
  return (await maintain(deps, 'expire', request)).expire ?? Promise.reject(noAnswer('expire'));
}

/**
 * Removes what no snapshot, no unfinished run and no metadata needs: of one table, or of all tables of a pipeline, those
 * that were dropped among them, and what its ended runs have left in its books. Throws as expireTables does.
 */
export async function vacuumTables(deps: StepDeps, request: MaintainRequest): Promise<VacuumAnswer> {
  return (await maintain(deps, 'vacuum', request)).vacuum ?? Promise.reject(noAnswer('vacuum'));
}

async function maintain(deps: StepDeps, operation: SweepOperation, request: ExpireRequest): Promise<Swept> {
  const { pipeline, table } = await targetOf(deps, operation, request.target);
  const run_id = checkRunId(request.runId ?? runIdOf(deps, operation));
  const maintenance = {
    operations: [operation],
    ...(table && { table: fullName(table) }),
    [operation]: optionsOf(request),
  };
  const input: OpenInput = { pipeline, run_id, dry_run: request.dryRun ?? false, kind: 'maintenance', maintenance };
  checkSweeps(input);
  await requireNoRollback(deps.store, (await readOpenRun(deps.store, { pipeline })).run);
  const { swept } = await executeMaintenance(deps, input, request);
  if (swept !== undefined) return swept;
  const result = await readSweepResult(deps, sweepRun(input, operation));
  return { [operation]: result?.answer };
}

export type MaintenanceOptions = Pick<MaintainRequest, 'interrupted' | 'onEvent' | 'retryIntervalMs'>;

/**
 * Runs the state machine of maintenance in this process to its end, and answers its last state. Throws what has ended it
 * otherwise, as the state threw it that failed last.
 */
export async function executeMaintenance(
  deps: StepDeps,
  input: OpenInput,
  { interrupted, onEvent, retryIntervalMs }: MaintenanceOptions = {},
): Promise<MaintenanceState> {
  const { pipeline, run_id } = input;
  const errors: unknown[] = [];
  const { outcome } = await executeRun(deps, {
    machine: 'maintenance',
    handlers: (given, lost) => noting(maintenanceHandlers(given, lost), errors),
    opens: 'OpenRewrite',
    ends: ['FinishRewrite', 'Fail'],
    input: input as unknown as JsonValue,
    run: { pipeline, run_id, kind: 'maintenance' },
    ...(interrupted === undefined ? {} : { interrupted }),
    ...(onEvent === undefined ? {} : { onEvent }),
    ...(retryIntervalMs === undefined ? {} : { retryIntervalMs }),
  });
  if (outcome.status === 'FAILED') throw errors.at(-1) ?? new Unavailable(`${outcome.error}: ${outcome.cause}`);
  return outcome.output as unknown as MaintenanceState;
}

/** The options as an execution is asked. */
export function optionsOf({ olderThanMs, keep, forceRetention }: Omit<ExpireRequest, 'target'>): ExpireOptions {
  return {
    ...(olderThanMs === undefined ? {} : { older_than_ms: olderThanMs }),
    ...(keep === undefined ? {} : { keep }),
    ...(forceRetention === undefined ? {} : { force_retention: forceRetention }),
  };
}

/** What states throw before the run is wound up is told as it is, not as the state machine repeats it. */
function noting(
  { Fail, Notify, RunFailed, ...states }: ReturnType<typeof maintenanceHandlers>,
  errors: unknown[],
): Readonly<Record<string, StateHandler>> {
  const noted = Object.entries(states).map(([name, handler]): readonly [string, StateHandler] => [
    name,
    async (input) => {
      try {
        return await handler(input);
      } catch (cause) {
        errors.push(cause);
        throw cause;
      }
    },
  ]);
  return { Fail, Notify, RunFailed, ...Object.fromEntries(noted) };
}

async function targetOf(
  { catalog, store }: Pick<StepDeps, 'catalog' | 'store'>,
  operation: SweepOperation,
  target: string,
): Promise<{ readonly pipeline: string; readonly table?: TableId }> {
  const named = tableIdIfAny(target);
  if (named !== undefined) {
    const dropped = operation === 'vacuum' && (await catalog.tombstone(named)) !== undefined;
    const table = dropped ? named : (await findTable(catalog, target)).id;
    return { pipeline: table.pipeline, table };
  }
  if ((await tablesOf(catalog, target)).length > 0) return { pipeline: target };
  const known = (await store.folders('ops/')).join(', ');
  throw new InvalidInput(
    `nothing to maintain: got ${JSON.stringify(target)}; expected a pipeline that has run (${known || 'none has'}) or a table ` +
      'by full name, such as retail_silver.sales',
  );
}

function noAnswer(operation: SweepOperation): StrataError {
  return new Unavailable(`${operation} ended without an answer; try again`);
}
