import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommitConflict, InvalidInput, ObjectNotFound } from '../../core/errors.ts';
import { opsTable } from '../../core/ops.ts';
import type { RunRef } from '../../core/run.ts';
import { fullName, type TableId } from '../../core/tables.ts';
import { joinChanges } from '../../iceberg/changes.ts';
import { guardGivenBack } from '../../iceberg/given-back.ts';
import { rollbackSchema, rollbackSpec } from '../../iceberg/rollback-schema.ts';
import { currentSnapshot, RUN_ID, snapshotById } from '../../iceberg/snapshot.ts';
import type { Snapshot, TableMetadata } from '../../iceberg/types.ts';
import type { CatalogEntry, ObjectStore } from '../../ports.ts';
import { renderReopened, selectTakenSince, type TakenSince } from '../../sql/ops-rows.ts';
import { countWithdrawn, renderWithdrawn } from '../../sql/quarantine-table.ts';
import { commitChange } from '../../table/commit.ts';
import { type Prepared, prepareSnapshot } from '../../table/prepare.ts';
import { loadTable } from '../../table/read.ts';
import type { StepDeps } from '../deps.ts';
import { openScratch } from '../files/scratch.ts';
import { stageFiles } from '../files/stage-files.ts';
import { markComparison } from '../ops/marks.ts';
import { openOps } from '../ops/open-ops.ts';
import { commitOps, OPS_FILE_BYTES, opsTarget } from '../ops/ops-tables.ts';
import { recordCommand } from '../ops/record-command.ts';
import { stageReleased } from '../ops/release.ts';
import { readJson, readJsonIfAny, runFolder, writeJson } from '../run/run-folder.ts';
import { changedProperties } from '../tables/table-properties.ts';
import { differenceIn } from './difference.ts';

/** Summary property of a snapshot that went back: the one whose rows it has. */
export const ROLLED_BACK_TO = 'strata.rolled-back-to';
/** Summary property of one by which files have become new again. */
export const REINGESTED = 'strata.reingest';

/** What a rollback set out to do. Written once; whoever finds it unfinished goes on with it. */
export type RollbackPlan = {
  readonly run: RunRef;
  readonly created_at: string;
  /** The table and, of a keyed one, its log. */
  readonly tables: readonly RollbackTable[];
  /** Files that become new again for the table; left out: none. */
  readonly reopen?: Reopening;
  /** Data files that come back or go; left out by earlier releases. */
  readonly files?: number;
};

export type RollbackTable = {
  readonly table: TableId;
  /** The snapshot that it goes back to, and the one that it gets. */
  readonly to: string;
  readonly snapshot_id: string;
  /** How its files were partitioned then, which those that come next have to be too; left out where none tells. */
  readonly spec_id?: number;
  /** What the table's properties said then of what made it. */
  readonly properties: Readonly<Record<string, string>>;
};

export type Reopening = TakenSince & {
  /** Other tables of the source. */
  readonly others: readonly string[];
  readonly files: readonly { readonly key: string; readonly etag: string }[];
};

function planKey(run: RunRef): string {
  return `${runFolder.root(run)}/rollback.json`;
}

export function writeRollback(store: ObjectStore, plan: RollbackPlan): Promise<void> {
  return writeJson(store, planKey(plan.run), plan);
}

/** The rollback that a run pointer names and that has not ended. */
export async function readRollback(store: ObjectStore, run: RunRef | undefined): Promise<RollbackPlan | undefined> {
  if (run === undefined || (await store.head(runFolder.result(run))) !== undefined) return undefined;
  return readJsonIfAny<RollbackPlan>(store, planKey(run));
}

/** The rollback of an id, whether it has ended or not. */
export function readRollbackPlan(store: ObjectStore, run: RunRef): Promise<RollbackPlan | undefined> {
  return readJsonIfAny<RollbackPlan>(store, planKey(run));
}

/** Throws InvalidInput while a rollback is unfinished: between its commits no table is what it should be. */
export async function requireNoRollback(store: ObjectStore, run: RunRef | undefined): Promise<void> {
  const plan = await readRollback(store, run);
  const [first] = plan?.tables ?? [];
  if (first === undefined) return;
  throw new InvalidInput(
    `a rollback of ${fullName(first.table)} is unfinished; nothing was done. Finish it first: strata rollback ` +
      `${fullName(first.table)} --to ${first.to}`,
  );
}

/**
 * Does what the plan says and has not been done yet; its result ends it. The log of a keyed table goes first, since the table
 * can be made of it. Throws InvalidInput where the snapshot of a table has expired meanwhile: that ends the rollback too,
 * which would else be in the way of all runs for good.
 */
export async function rollForward(deps: StepDeps, { run }: Pick<RollbackPlan, 'run'>): Promise<void> {
  const plan = await readJson<RollbackPlan>(deps.store, planKey(run));
  const back: RollbackTable[] = [];
  let expired: RollbackTable | undefined;
  for (const table of plan.tables.toReversed()) {
    if (expired !== undefined) break;
    if (await rollTable(deps, plan, table)) back.push(table);
    else expired = table;
  }
  if (back.length > 0) await followRollback(deps, plan);
  await writeJson(deps.store, runFolder.result(run), { run_id: run.run_id, pipeline: run.pipeline, kind: 'rollback' });
  if (expired !== undefined) throw expiredMeanwhile(expired, back);
}

function expiredMeanwhile({ table, to }: RollbackTable, [log]: readonly RollbackTable[]): InvalidInput {
  const name = fullName(table);
  const instead =
    log === undefined
      ? 'nothing was done'
      : `its log ${fullName(log.table)} has gone back, and the table can be made of it: strata rebuild ${name}`;
  return new InvalidInput(
    `${name} is left as it is: snapshot ${to} has expired before the rollback came to it; ${instead}`,
  );
}

/** What the books say of the tables. */
async function followRollback(deps: StepDeps, plan: RollbackPlan): Promise<void> {
  if (plan.reopen !== undefined) {
    await releaseRows(deps, plan.run, plan.reopen);
    await reopenFiles(deps, plan.run, plan.reopen);
    // No event will name these files again.
    await markComparison(deps.store, plan.run.pipeline, plan.run.run_id);
  }
  const { pipeline, run_id } = plan.run;
  await recordCommand(deps, { pipeline, run_id, kind: 'rollback', created_at: plan.created_at }, plan.files ?? 0);
}

/** A file whose rows a table loses by a rollback. `corrects`: it has taken the place of another content, which comes back. */
export type LostFile = {
  readonly key: string;
  readonly etag: string;
  readonly run_id: string;
  readonly corrects: boolean;
};

/** What was taken for a table since a time, by the ledger. */
export async function takenSince(deps: StepDeps, pipeline: string, since: TakenSince): Promise<readonly LostFile[]> {
  const entry = await loadTable(deps.catalog, opsTable(pipeline, 'files'));
  if (entry === undefined) return [];
  await using session = await deps.engine.open(deps.settings);
  await using _ledger = await openOps(deps.store, session, 'files', entry.metadata);
  return (await session.rows(selectTakenSince(since))).map((row) => ({
    key: String(row['key']),
    etag: String(row['etag']),
    run_id: String(row['run_id']),
    corrects: row['corrects'] === true,
  }));
}

/** The last snapshot that is more than a compaction, which changes no row. */
export function latestChange(metadata: TableMetadata): Snapshot | undefined {
  let last = currentSnapshot(metadata);
  while (last?.summary.operation === 'replace') {
    const parent = last['parent-snapshot-id'];
    last = parent === undefined ? undefined : snapshotById(metadata, parent);
  }
  return last;
}

/** How often a table is tried to which others commit at the same time: compactions and expiries work beside a rollback. */
const ATTEMPTS = 5;

/**
 * One snapshot on top of the others, with the data files of the old one; none where the table is back already. False where the
 * old one has expired. It is never made on top of what came meanwhile: an expiry may just have taken its files.
 */
async function rollTable(deps: StepDeps, plan: RollbackPlan, one: RollbackTable): Promise<boolean> {
  for (let attempt = 1; ; attempt += 1) {
    const base = await loadTable(deps.catalog, one.table);
    if (base === undefined || snapshotById(base.metadata, BigInt(one.snapshot_id)) !== undefined) return true;
    if (snapshotById(base.metadata, BigInt(one.to)) === undefined) return false;
    try {
      await commitChange(deps, one.table, await prepareBack(deps, plan, one, base), { asPrepared: true });
      return true;
    } catch (cause) {
      const other = cause instanceof CommitConflict || cause instanceof ObjectNotFound;
      if (!other || attempt === ATTEMPTS) throw cause;
      deps.log.info('another has changed what is to go back', { table: fullName(one.table) });
    }
  }
}

async function prepareBack(
  deps: StepDeps,
  { run, reopen }: RollbackPlan,
  one: RollbackTable,
  base: CatalogEntry,
): Promise<Prepared> {
  const { added, removed, addedDeletes, removedDeletes } = await differenceIn(
    deps.store,
    base.metadata,
    BigInt(one.to),
  );
  const back = added.length + addedDeletes.length > 0;
  // The snapshot itself removes and adds a delete file that comes again beside its data file.
  const gone = new Set(removedDeletes.map(({ path }) => path));
  const again = addedDeletes.some(({ path }) => gone.has(path));
  const stays = removed.length + removedDeletes.length === 0;
  const last = latestChange(base.metadata);
  const isBack = last?.['snapshot-id'].toString() === one.to || last?.summary[ROLLED_BACK_TO] === one.to;
  // A run's snapshot vouches for the field ids of its files, which those of other engines may lack.
  const own: Readonly<Record<string, string>> = added.some(({ foreign }) => foreign) ? {} : { [RUN_ID]: run.run_id };
  return prepareSnapshot(deps.store, {
    base,
    alter: joinChanges(
      rollbackSchema(base.metadata, BigInt(one.to)),
      rollbackSpec(base.metadata, one.spec_id),
      changedProperties(base.metadata, one.properties),
      back ? guardGivenBack(base.metadata, removedSince(base.metadata, BigInt(one.to), again)) : undefined,
    ),
    added,
    addedDeletes,
    // Files of a table may be those of before where only its log has changed, and what comes next goes by its snapshots.
    emptySnapshot: !isBack,
    remove: stays ? { kind: 'nothing' } : { kind: 'files', files: removed, deletes: removedDeletes },
    snapshotId: BigInt(one.snapshot_id),
    nowMs: deps.clock.now().getTime(),
    unique: deps.ids.unique(),
    summary: { ...own, [ROLLED_BACK_TO]: one.to, ...(reopen === undefined ? {} : { [REINGESTED]: 'true' }) },
  });
}

/** The snapshots after one, any of which may have removed what it had, with the next one or without. */
function removedSince(metadata: TableMetadata, id: bigint, withNext: boolean): Parameters<typeof guardGivenBack>[1] {
  const then = snapshotById(metadata, id)?.['sequence-number'] ?? 0n;
  return { from: then + 1n, to: metadata['last-sequence-number'] + (withNext ? 1n : 0n) };
}

/** What was rejected of files that become new again is judged anew. */
async function releaseRows(deps: StepDeps, run: RunRef, { source, table, others, files }: Reopening): Promise<void> {
  const alone = others.length === 0;
  const withdrawal = {
    files: [...new Set(files.map(({ key }) => key))],
    tables: [table],
    whole: alone ? [source] : [],
    parted: alone ? [] : [table, ...others].map((one) => ({ source, table: one, withdrawn: one === table })),
  };
  const released = await stageReleased(deps, run, {
    count: (rows) => countWithdrawn(rows, withdrawal),
    render: (rows) => renderWithdrawn(rows, withdrawal),
  });
  if (released !== undefined) await commitOps(deps, run, 'quarantine', released.files, { kind: 'all' });
}

async function reopenFiles(deps: StepDeps, run: RunRef, reopening: Reopening): Promise<void> {
  const id = opsTable(run.pipeline, 'files');
  const entry = await loadTable(deps.catalog, id);
  if (entry === undefined || reopening.files.length === 0) return;
  await using session = await deps.engine.open(deps.settings);
  await using _ledger = await openOps(deps.store, session, 'files', entry.metadata);
  await using scratch = await openScratch(deps, 'reopened');
  const path = join(scratch.folder, 'files.json');
  await writeFile(path, JSON.stringify(reopening.files.map(({ key, etag }) => ({ key, etag }))));
  const target = opsTarget(deps, 'files', id, entry);
  const from = renderReopened(path, reopening, reopening.others);
  const staging = { from, target, folder: join(scratch.folder, 'out'), fileBytes: OPS_FILE_BYTES, stem: run.run_id };
  const { placed } = await stageFiles(session, staging, deps);
  await commitOps(deps, run, 'files', placed, { kind: 'all' });
}
