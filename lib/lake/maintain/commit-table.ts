import type { CompactRequest } from '../../core/asked.ts';
import { AuditFailed, CommitConflict } from '../../core/errors.ts';
import type { Bin, BinFile, MaintainedTable } from '../../core/maintenance.ts';
import type { RunRef } from '../../core/run.ts';
import { fullName, tablePrefix } from '../../core/tables.ts';
import { specById } from '../../iceberg/partition.ts';
import { currentSchema } from '../../iceberg/schema.ts';
import { RUN_ID } from '../../iceberg/snapshot.ts';
import { dataFileOf } from '../../iceberg/stats.ts';
import type { DataFile, Snapshot, TableMetadata } from '../../iceberg/types.ts';
import { commitChange } from '../../table/commit.ts';
import { parsePrepared, prepareSnapshot, renderPrepared } from '../../table/prepare.ts';
import { loadTable, planFiles, type ScannedFile } from '../../table/read.ts';
import type { StepDeps } from '../deps.ts';
import { readJsonIfAny, writeOnce } from '../run/run-folder.ts';
import { COMPACTED, deletedRows } from './choose-files.ts';
import { discardSnapshot, rewriteStem } from './discard-maintenance.ts';
import { maintenancePlaces, type PreparedRound, type RewrittenBin, type TableRound } from './maintenance-folder.ts';
import { describeWork } from './plan-tables.ts';

/** In the summary of a snapshot: how its compaction was asked for, and the Z-order that the table has by itself; as JSON. */
const ASKED = 'strata.compact';

/** How often a table is tried that others commit to at the same time. */
const ATTEMPTS = 5;

/** A bin with the files that it was written to. */
export type Rewritten = RewrittenBin & { readonly unit: string; readonly planned: Bin };

type Round = {
  readonly run: RunRef;
  readonly round: number;
  readonly table: MaintainedTable;
  readonly request: CompactRequest;
  /** The table as the bins were planned on it. */
  readonly base: TableMetadata;
  /** Nothing of the table was left as it is. */
  readonly whole: boolean;
};

/**
 * Publishes the bins of one table in one snapshot that changes no rows. Bins some of whose files are no longer in the
 * table, or have lost other rows since, yield to whoever did that; rows that were added beside them stay. Calling it again finds what was prepared,
 * and by its snapshot whether that was published.
 */
export async function commitTable(
  deps: StepDeps,
  round: Round,
  bins: readonly Rewritten[],
): Promise<Omit<TableRound, 'left'>> {
  for (let attempt = 1; ; attempt += 1) {
    const prepared = await prepareRound(deps, round, bins, attempt);
    const done = bins.filter(({ unit, bin }) => prepared.bins.some(([name, at]) => name === unit && at === bin));
    if (prepared.text === '') return outcomeOf(round, bins, []);
    try {
      await commitChange(
        deps,
        round.table.table,
        parsePrepared(prepared.text, deps.store.location(tablePrefix(round.table.table))),
      );
      return outcomeOf(round, bins, done);
    } catch (cause) {
      if (!(cause instanceof CommitConflict) || attempt === ATTEMPTS) throw cause;
      deps.log.info('another run has changed what was to be replaced', { table: fullName(round.table.table) });
      await discardSnapshot(deps.store, round.table.table, prepared);
    }
  }
}

async function prepareRound(
  deps: StepDeps,
  round: Round,
  bins: readonly Rewritten[],
  attempt: number,
): Promise<PreparedRound> {
  const key = maintenancePlaces.prepared(round.run, round.round, round.table.id, attempt);
  const before = await readJsonIfAny<PreparedRound>(deps.store, key);
  if (before !== undefined) return before;
  const current = await loadTable(deps.catalog, round.table.table);
  const live = new Map(
    current === undefined ? [] : (await planFiles(deps.store, current.metadata)).map((file) => [file.path, file]),
  );
  const valid = bins.filter(({ planned }) => planned.files.every((file) => isAsPlanned(file, live.get(file.path))));
  const mergeAll = round.round === 0 && round.table.manifests !== undefined;
  if (current === undefined || (valid.length === 0 && !mergeAll)) {
    return writeOnce(deps.store, key, { bins: [], text: '' });
  }
  const removed = valid.flatMap(({ planned }) => planned.files.flatMap(({ path }) => live.get(path) ?? []));
  const added = valid.flatMap((bin) => addedFiles(deps, round, bin, live));
  for (const bin of valid) checkCounts(round, bin);
  const { complete, base, table } = round.table;
  const looked = complete && round.whole && valid.length === bins.length ? base.snapshot_id : null;
  const prepared = await prepareSnapshot(deps.store, {
    base: current,
    added,
    remove: removed.length === 0 ? { kind: 'nothing' } : { kind: 'files', files: removed },
    rewrite: true,
    ...(mergeAll ? { mergeAll } : {}),
    snapshotId: deps.ids.snapshot(),
    nowMs: deps.clock.now().getTime(),
    unique: deps.ids.unique(),
    summary: { [RUN_ID]: round.run.run_id, ...askedOf(round), ...(looked === null ? {} : { [COMPACTED]: looked }) },
  });
  checkManifests(round, prepared.snapshot, live.size + added.length - removed.length);
  deps.log.info('files are replaced', { table: fullName(table), files: removed.length, by: added.length });
  const names = valid.map(({ unit, bin }) => [unit, bin] as const);
  return writeOnce(deps.store, key, { bins: names, text: renderPrepared(prepared) });
}

/** Nothing for what was done as it usually is. */
function askedOf({ request: { table: _table, ...asked }, table: { zorder } }: Round): Readonly<Record<string, string>> {
  const all = { ...asked, ...(zorder.length === 0 ? {} : { zorder }) };
  return Object.keys(all).length === 0 ? {} : { [ASKED]: JSON.stringify(all) };
}

function addedFiles(
  { store }: Pick<StepDeps, 'store'>,
  { base }: Round,
  { planned, written }: Rewritten,
  live: ReadonlyMap<string, DataFile>,
): readonly DataFile[] {
  const [first] = planned.files.flatMap(({ path }) => live.get(path) ?? []);
  const [schema, spec] = [currentSchema(base), specById(base, planned.spec)];
  return written.map((file) =>
    dataFileOf({
      written: file.written,
      schema,
      spec,
      properties: base.properties,
      location: store.location(file.key),
      partition: first?.partition ?? [],
    }),
  );
}

/** Whether a file is in the table and has the rows that it had. */
function isAsPlanned({ deleted }: BinFile, live: ScannedFile | undefined): boolean {
  return live !== undefined && JSON.stringify(deletedRows(live)) === JSON.stringify(deleted);
}

/** The rows themselves were compared when they were written; this holds the manifests to the same. */
function checkCounts({ table }: Round, { planned, written }: Rewritten): void {
  const rows = written.reduce((sum, file) => sum + file.written.rows, 0);
  const some = planned.files.some(({ deleted }) => deleted !== undefined);
  if (some ? rows <= planned.rows : rows === planned.rows) return;
  throw new AuditFailed(
    `${fullName(table.table)}: ${planned.rows} rows were to be written anew, and ${rows} were; nothing of it is published`,
  );
}

/** They were merged in the first round. */
function withoutManifests({ manifests: _merged, ...table }: MaintainedTable): MaintainedTable {
  return table;
}

/** Merging manifests loses no file. */
function checkManifests({ table }: Round, snapshot: Snapshot | undefined, files: number): void {
  const listed = Number(snapshot?.summary['total-data-files']);
  if (listed === files) return;
  throw new AuditFailed(
    `${fullName(table.table)}: its new manifests list ${listed} files, and ${files} were to be listed; nothing of it is published`,
  );
}

/** Whether a round of this run wrote a file. */
function isOf(run: RunRef, { path }: BinFile): boolean {
  return path.slice(path.lastIndexOf('/') + 1).startsWith(rewriteStem(run));
}

function describeAgain(table: MaintainedTable, bins: readonly Bin[]): NonNullable<TableRound['again']> {
  const { partitions, files, bytes, rows } = describeWork({ table, bins });
  return { partitions, files, bytes, rows };
}

function outcomeOf(
  { table, round, run }: Round,
  bins: readonly Rewritten[],
  done: readonly Rewritten[],
): Omit<TableRound, 'left'> {
  const files = done.flatMap(({ written }) => written);
  const yielded = bins.filter((bin) => !done.includes(bin)).map(({ planned }) => planned);
  const again = done.map(({ planned }) => planned).filter((bin) => bin.files.some((file) => isOf(run, file)));
  return {
    done: {
      ...describeWork({
        table: round === 0 ? table : withoutManifests(table),
        bins: done.map(({ planned }) => planned),
      }),
      files_after: files.length,
      bytes_after: files.reduce((sum, { written }) => sum + written.bytes, 0),
    },
    bins: done.map(({ unit, bin }) => [unit, bin] as const),
    ...(again.length === 0 ? {} : { again: describeAgain(table, again) }),
    yielded: [...new Map(yielded.map(({ spec, partition }) => [`${spec} ${partition}`, { spec, partition }])).values()],
  };
}
