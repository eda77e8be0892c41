import { InvalidInput, UnreadableTable } from '../core/errors.ts';
import { fullName, type TableId } from '../core/tables.ts';
import { formerLocations } from '../iceberg/locations.ts';
import type { StepDeps } from '../lake/deps.ts';
import { unfinishedCompaction } from '../lake/maintain/discard-maintenance.ts';
import { fenced } from '../lake/run/fence.ts';
import { keepLock } from '../lake/run/keep-lock.ts';
import { releaseLock, takeLock } from '../lake/run/lock.ts';
import { unfinishedRun } from '../query/plan-run.ts';
import { loadTable } from '../table/read.ts';
import { type Relocation, relocateTable } from '../table/relocate.ts';

export type RelocateRequest = {
  /** Only tables that were below this location. */
  readonly from?: string;
  readonly dryRun?: boolean;
};

export type RelocateAnswer = {
  readonly dry_run: boolean;
  readonly relocated: readonly (Relocation & { readonly table: string })[];
  /** Tables that stay as they are, because they cannot be rewritten. */
  readonly failed: readonly { readonly table: string; readonly reason: string }[];
  /** How many name nothing elsewhere. */
  readonly unchanged: number;
};

/**
 * Rewrites the metadata of all tables of a lake that was moved or copied, pipeline by pipeline, each under its lock.
 * Throws InvalidInput before anything is done where a run is unfinished, LockHeld while one works; what is done by then
 * is done.
 */
export async function relocateLake(deps: StepDeps, { from, dryRun = false }: RelocateRequest): Promise<RelocateAnswer> {
  const tables = await deps.catalog.list();
  const moved = Map.groupBy(await findMoved(deps, tables, from), ({ pipeline }) => pipeline);
  for (const pipeline of moved.keys()) await checkFinished(deps, pipeline);
  const relocated: RelocateAnswer['relocated'][number][] = [];
  const failed: RelocateAnswer['failed'][number][] = [];
  const rewrite = async (held: StepDeps, id: TableId): Promise<void> => {
    const table = fullName(id);
    try {
      const relocation = await relocateTable(held, id, { dryRun });
      if (relocation !== undefined) relocated.push({ table, ...relocation });
    } catch (cause) {
      if (!(cause instanceof UnreadableTable)) throw cause;
      failed.push({ table, reason: cause.message });
    }
  };
  for (const [pipeline, ids] of moved) {
    if (dryRun) for (const id of ids) await rewrite(deps, id);
    else await underLock(deps, pipeline, (held) => eachOf(ids, (id) => rewrite(held, id)));
  }
  return { dry_run: dryRun, relocated, failed, unchanged: tables.length - relocated.length - failed.length };
}

async function eachOf<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  for (const item of items) await act(item);
}

async function findMoved(
  deps: StepDeps,
  ids: readonly TableId[],
  from: string | undefined,
): Promise<readonly TableId[]> {
  const moved: TableId[] = [];
  const base = from === undefined ? undefined : `${from.replace(/\/+$/, '')}/`;
  for (const id of ids) {
    const metadata = (await loadTable(deps.catalog, id))?.metadata;
    const former = metadata === undefined ? [] : formerLocations(metadata);
    if (former.some((one) => base === undefined || one.startsWith(base))) moved.push(id);
  }
  return moved;
}

async function underLock<T>(deps: StepDeps, pipeline: string, act: (held: StepDeps) => Promise<T>): Promise<T> {
  const runId = `relocate-${deps.ids.unique()}`;
  return keepLock(deps, { pipeline, run_id: runId, epoch: () => undefined }, async () => {
    const run = { pipeline, run_id: runId, dry_run: false, epoch: await takeLock(deps, { pipeline, run_id: runId }) };
    try {
      await checkFinished(deps, pipeline);
      return await act(fenced(deps, run));
    } finally {
      await releaseLock(deps, run);
    }
  });
}

async function checkFinished(deps: StepDeps, pipeline: string): Promise<void> {
  const compaction = await unfinishedCompaction(deps.store, pipeline);
  if (compaction !== undefined) {
    throw new InvalidInput(
      `compaction ${compaction} of ${pipeline} is unfinished, and goes on with its tables as they were: finish it first (strata compact ${pipeline}), then relocate`,
    );
  }
  const run = await unfinishedRun(deps, pipeline);
  if (run === null) return;
  throw new InvalidInput(
    `run ${run} of ${pipeline} is unfinished, and goes on with its tables as they were: finish it first (strata run ${pipeline}), then relocate`,
  );
}
