import { InvalidInput, ObjectNotFound } from '../core/errors.ts';
import type { RunRef } from '../core/run.ts';
import { fullName } from '../core/tables.ts';
import { RUN_ID } from '../iceberg/snapshot.ts';
import type { StepDeps } from '../lake/deps.ts';
import { differenceTo } from '../lake/maintain/difference.ts';
import {
  latestChange,
  REINGESTED,
  ROLLED_BACK_TO,
  type RollbackPlan,
  readRollback,
  readRollbackPlan,
  rollForward,
  writeRollback,
} from '../lake/maintain/rollback.ts';
import { recordingFailure } from '../lake/ops/record-command.ts';
import { fenced } from '../lake/run/fence.ts';
import { keepLock } from '../lake/run/keep-lock.ts';
import { releaseLock, takeLock } from '../lake/run/lock.ts';
import { clearOpenRun, pointTo, readOpenRun } from '../lake/run/open-run.ts';
import { type FoundTable, findTable } from '../query/find-table.ts';
import { unfinishedRun } from '../query/plan-run.ts';
import {
  type LostRows,
  type PlannedRollback,
  planRollback,
  type RollbackRequest,
  rollbackTarget,
  type Undone,
} from './plan-rollback.ts';

export type RollbackAnswer = {
  readonly pipeline: string;
  /** By which its snapshots are known. */
  readonly run_id: string;
  readonly dry_run: boolean;
  /** Present: an earlier rollback has done it, and nothing has come since. */
  readonly again?: true;
  /** The table that was asked for and, of a keyed one, its log. */
  readonly tables: readonly {
    readonly table: string;
    readonly to: string;
    readonly files_added: number;
    readonly files_removed: number;
  }[];
  /** What the table loses, the latest first. */
  readonly undone: readonly Undone[];
  /** Files that were taken since. `again`: the next run takes them; the others it does not. */
  readonly files: readonly LostRows[];
  /** Tables that the next run computes anew by it. */
  readonly due: readonly string[];
};

/**
 * Makes a table what it was at a moment, by a snapshot on top of the others, a keyed table together with its log; what came
 * since stays in time travel. Killed anywhere, the same request finishes it, and no run begins before. Throws InvalidInput
 * where going back cannot be right, with the reason; LockHeld while a run works.
 */
export async function rollbackTable(deps: StepDeps, request: RollbackRequest): Promise<RollbackAnswer> {
  const table = await findTable(deps.catalog, request.table);
  const run = { pipeline: table.id.pipeline, run_id: `rollback-${deps.ids.unique()}`, dry_run: false };
  if (request.dryRun === true) {
    await requireIdle(deps, table);
    const before = await doneBefore(deps, table, request);
    if (before !== undefined) return { ...(await answerOf(deps, before)), dry_run: true, again: true };
    return answer(deps, run, await planRollback(deps, run, table, request), true);
  }
  return keepLock(deps, { ...run, epoch: () => undefined }, async () => {
    const held = { ...run, epoch: await takeLock(deps, run) };
    try {
      return await rollBack(fenced(deps, held), held, request);
    } finally {
      await releaseLock(deps, held);
    }
  });
}

async function rollBack(
  deps: StepDeps,
  run: RunRef & { readonly epoch: number },
  request: RollbackRequest,
): Promise<RollbackAnswer> {
  const finished = await finishUnfinished(deps, run);
  const table = await findTable(deps.catalog, request.table);
  if (finished !== undefined && (await isAskedFor(deps, finished, table, request))) return answerOf(deps, finished);
  await requireIdle(deps, table);
  const before = await doneBefore(deps, table, request);
  if (before !== undefined) return { ...(await answerOf(deps, before)), again: true };
  const command = { ...run, kind: 'rollback', created_at: deps.clock.now().toISOString() } as const;
  const { plan, done } = await recordingFailure(deps, command, () =>
    begin(deps, run, table, request).catch(expiredOr(table)),
  );
  await rollForward(deps, plan);
  await clearOpenRun(deps.store, run);
  return done;
}

/** An expiry at the same moment takes away what is looked at. */
function expiredOr({ id }: FoundTable): (cause: unknown) => never {
  return (cause) => {
    if (!(cause instanceof ObjectNotFound)) throw cause;
    throw new InvalidInput(
      `${fullName(id)} is left as it is: files of its snapshots have expired while they were looked at; nothing was done, try again`,
      [],
      { cause },
    );
  };
}

/** From here on whoever finds the plan finishes it. */
async function begin(
  deps: StepDeps,
  run: RunRef & { readonly epoch: number },
  table: FoundTable,
  request: RollbackRequest,
): Promise<{ readonly plan: RollbackPlan; readonly done: RollbackAnswer }> {
  const planned = await planRollback(deps, run, table, request);
  const done = await answer(deps, run, planned, false);
  const files = done.tables.reduce((sum, one) => sum + one.files_added + one.files_removed, 0);
  const plan = { ...planned.plan, files };
  await writeRollback(deps.store, plan);
  const pointer = await readOpenRun(deps.store, run);
  if (!(await pointTo(deps.store, pointer, run))) throw changedMeanwhile(table);
  return { plan, done };
}

/**
 * The rollback by which the table is what was asked for: one whose process was killed when all was done answers its repetition by it.
 * A compaction since then has changed no row.
 */
async function doneBefore(
  deps: StepDeps,
  table: FoundTable,
  request: RollbackRequest,
): Promise<RollbackPlan | undefined> {
  const { id } = table;
  const last = latestChange(table.metadata);
  const [to, run_id] = [last?.summary[ROLLED_BACK_TO], last?.summary[RUN_ID]];
  if (last === undefined || to === undefined || run_id === undefined) return undefined;
  if (request.reingest === true && !(REINGESTED in last.summary)) return undefined;
  if (!(await isTarget(deps, table, request.to, to))) return undefined;
  return readRollbackPlan(deps.store, { pipeline: id.pipeline, run_id, dry_run: false });
}

/** A moment that the table does not know, or that no longer can be gone back to, is told of by the plan. */
async function isTarget(deps: StepDeps, table: FoundTable, text: string, snapshot: string): Promise<boolean> {
  try {
    return (await rollbackTarget(deps, table, text))['snapshot-id'].toString() === snapshot;
  } catch (cause) {
    if (cause instanceof InvalidInput) return false;
    throw cause;
  }
}

/** What a process that was killed had begun comes first. */
async function finishUnfinished(deps: StepDeps, { pipeline }: RunRef): Promise<RollbackPlan | undefined> {
  const pointer = await readOpenRun(deps.store, { pipeline });
  const unfinished = await readRollback(deps.store, pointer.run);
  if (unfinished === undefined || pointer.run === undefined) return undefined;
  deps.log.info('an unfinished rollback is finished', { run_id: unfinished.run.run_id });
  await rollForward(deps, unfinished);
  await clearOpenRun(deps.store, { ...pointer.run, epoch: pointer.epoch });
  return unfinished;
}

async function isAskedFor(
  deps: StepDeps,
  { tables: [first], reopen }: RollbackPlan,
  table: FoundTable,
  request: RollbackRequest,
): Promise<boolean> {
  if (first === undefined || fullName(first.table) !== fullName(table.id)) return false;
  if ((reopen !== undefined) !== (request.reingest === true)) return false;
  return isTarget(deps, table, request.to, first.to);
}

/** Of a rollback that another process had begun: nothing is left to be undone. */
async function answerOf(deps: StepDeps, plan: RollbackPlan): Promise<RollbackAnswer> {
  const source = plan.reopen?.files ?? [];
  const files = source.map(({ key }) => ({ file: key, run_id: plan.run.run_id, again: true }));
  return answer(deps, plan.run, { plan, undone: [], files, due: [] }, false);
}

async function answer(deps: StepDeps, run: RunRef, planned: PlannedRollback, dryRun: boolean): Promise<RollbackAnswer> {
  const tables: RollbackAnswer['tables'][number][] = [];
  for (const { table, to } of planned.plan.tables) {
    const { added, removed } = await differenceTo(deps, table, BigInt(to));
    tables.push({ table: fullName(table), to, files_added: added.length, files_removed: removed.length });
  }
  const { undone, files, due } = planned;
  return { pipeline: run.pipeline, run_id: run.run_id, dry_run: dryRun, tables, undone, files, due };
}

async function requireIdle(deps: StepDeps, { id }: FoundTable): Promise<void> {
  const run = await unfinishedRun(deps, id.pipeline);
  if (run === null) return;
  throw new InvalidInput(
    `${fullName(id)} is left as it is: run ${run} of ${id.pipeline} is unfinished, and goes on with its tables as they were; ` +
      `finish it first: strata run ${id.pipeline}`,
  );
}

function changedMeanwhile({ id }: FoundTable): InvalidInput {
  return new InvalidInput(
    `${fullName(id)} is left as it is: another run of ${id.pipeline} has begun meanwhile; try again`,
  );
}
