import { CommitConflict } from '../../core/errors.ts';
import type { Vacuumed } from '../../core/maintenance.ts';
import { type OpsTable, opsTable } from '../../core/ops.ts';
import type { RunRef } from '../../core/run.ts';
import type { Sql } from '../../core/sql-text.ts';
import type { Statement } from '../../core/statement.ts';
import { fullName } from '../../core/tables.ts';
import type { Predicate } from '../../iceberg/predicate.ts';
import { RUN_ID } from '../../iceberg/snapshot.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { CatalogEntry } from '../../ports.ts';
import { countRetired, renderNotRetired } from '../../sql/quarantine-table.ts';
import { commitChange } from '../../table/commit.ts';
import { prepareSnapshot } from '../../table/prepare.ts';
import { loadTable, planFiles } from '../../table/read.ts';
import type { StepDeps } from '../deps.ts';
import { dataFilesOf } from '../files/data-files.ts';
import { openScratch } from '../files/scratch.ts';
import { stageFiles } from '../files/stage-files.ts';
import { openOps } from '../ops/open-ops.ts';
import { OPS_FILE_BYTES, opsTarget } from '../ops/ops-tables.ts';
import type { Placed } from '../run/unit-result.ts';

/** The property of the quarantine table that says for how many days rows stay of which nothing follows any more. */
export const CONDEMNED_RETENTION = 'strata.quarantine.condemned-retention-days';

/** Seven years, where the table doesn't say. */
const DEFAULT_DAYS = 2557;
export const DAY_MS = 86_400_000;

/**
 * Takes rows out of a pipeline's quarantine that were condemned or released and are older than the table keeps them. Rows that are
 * held against others stay. With `dry_run` it only counts.
 */
export async function retireRows(deps: StepDeps, run: RunRef, nowMs: number): Promise<Vacuumed> {
  const id = opsTable(run.pipeline, 'quarantine');
  const entry = await loadTable(deps.catalog, id);
  const none: Vacuumed = { table: fullName(id), kind: 'rows', files: 0, bytes: 0, rows: 0 };
  if (entry === undefined) return none;
  const before = nowMs - daysIn(entry.metadata, CONDEMNED_RETENTION, DEFAULT_DAYS) * DAY_MS;
  const iso = new Date(before).toISOString();
  const predicates = [{ column: 'quarantined_at', op: '<', value: BigInt(before) * 1_000n }] as const;
  const rows = await retireFrom(deps, run, {
    book: 'quarantine',
    entry,
    predicates,
    count: (table) => countRetired(table, iso),
    rest: (table) => renderNotRetired(table, iso),
  });
  return { ...none, rows };
}

/** Rows of a book that go: in files that meet the predicates, as SQL counts them and as it leaves the others. */
export type Retirement = {
  readonly book: OpsTable;
  readonly entry: CatalogEntry;
  readonly predicates: readonly Predicate[];
  readonly count: (table: Sql) => Statement;
  readonly rest: (table: Sql) => Sql;
};

/**
 * Writes files that have such rows anew without them, beside runs, which add others; where one of them was replaced meanwhile, nothing
 * is done this time. Answers how many rows went, or with `dry_run` would go.
 */
export async function retireFrom(
  deps: StepDeps,
  run: RunRef,
  { book, entry, predicates, count, rest }: Retirement,
): Promise<number> {
  const files = await planFiles(deps.store, entry.metadata, { predicates });
  if (files.length === 0) return 0;
  await using session = await deps.engine.open(deps.settings);
  await using old = await openOps(deps.store, session, book, entry.metadata, predicates);
  const rows = Number((await session.rows(count(old.relation)))[0]?.['rows']);
  if (rows === 0 || run.dry_run) return rows;
  const target = opsTarget(deps, book, opsTable(run.pipeline, book), entry);
  await using scratch = await openScratch(deps, 'retire');
  const staging = {
    from: rest(old.relation),
    target,
    folder: scratch.folder,
    fileBytes: OPS_FILE_BYTES,
    stem: run.run_id,
  };
  const { placed } = await stageFiles(session, staging, deps);
  return (await replaceFiles(deps, run, book, { entry, target, files, placed })) ? rows : 0;
}

type Replacement = {
  readonly entry: CatalogEntry;
  readonly target: ReturnType<typeof opsTarget<CatalogEntry>>;
  readonly files: Awaited<ReturnType<typeof planFiles>>;
  readonly placed: readonly Placed[];
};

async function replaceFiles(
  deps: StepDeps,
  run: RunRef,
  book: OpsTable,
  { entry, target, files, placed }: Replacement,
): Promise<boolean> {
  const prepared = await prepareSnapshot(deps.store, {
    base: entry,
    ...(target.alter === undefined ? {} : { alter: target.alter }),
    added: dataFilesOf(deps.store, placed, target),
    remove: { kind: 'files', files },
    snapshotId: deps.ids.snapshot(),
    nowMs: deps.clock.now().getTime(),
    unique: deps.ids.unique(),
    summary: { [RUN_ID]: run.run_id },
  });
  try {
    await commitChange(deps, opsTable(run.pipeline, book), prepared);
    return true;
  } catch (cause) {
    if (!(cause instanceof CommitConflict)) throw cause;
    deps.log.info(`${book} has changed meanwhile`, { pipeline: run.pipeline, reason: cause.message });
    return false;
  }
}

/** The whole days that a property of a table says, or as many as it has by default. */
export function daysIn({ properties }: TableMetadata, property: string, otherwise: number): number {
  const days = Number(properties[property]);
  return Number.isSafeInteger(days) && days > 0 ? days : otherwise;
}
