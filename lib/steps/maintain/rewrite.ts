import { BRONZE_FILE, BRONZE_FILE_ID } from '../../core/bronze-file.ts';
import { AuditFailed, EngineError, ObjectNotFound, UnreadableTable } from '../../core/errors.ts';
import type { Bin, LeftPartition, MaintainedTable, RewriteInput } from '../../core/maintenance.ts';
import type { Sql } from '../../core/sql-text.ts';
import { fullName } from '../../core/tables.ts';
import { specById } from '../../iceberg/partition.ts';
import { parsePartitionPath } from '../../iceberg/partition-path.ts';
import { currentSchema } from '../../iceberg/schema.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { openScratch } from '../../lake/files/scratch.ts';
import { bytesOfSome, stagePartition } from '../../lake/files/stage-files.ts';
import { filesOfFirst, packingOf, type Trial } from '../../lake/maintain/choose-packing.ts';
import { rewriteStem } from '../../lake/maintain/discard-maintenance.ts';
import { layOut } from '../../lake/maintain/lay-out.ts';
import {
  type RewriteResult,
  type RewrittenBin,
  readBase,
  readMaintenancePlan,
  readRewriteResult,
  readRewriteUnit,
} from '../../lake/maintain/maintenance-folder.ts';
import { underMark } from '../../lake/run/deaths.ts';
import { RECORDING, startMeasuring } from '../../lake/run/measure.ts';
import { runFolder, writeOnce } from '../../lake/run/run-folder.ts';
import { openFiles } from '../../lake/tables/foreign-files.ts';
import { scanLarge } from '../../lake/tables/scan-large.ts';
import { scanColumns } from '../../lake/tables/table-state.ts';
import type { JsonValue, Row, Session } from '../../ports.ts';
import { fingerprintRows } from '../../sql/rewrite.ts';
import { renderScan, type ScanColumn } from '../../sql/scan.ts';

/** A unit that workers die of is left as it is: its files are as good as before. */
const DEATHS = 'workers ended without an answer, as one does that has too little memory or time';

/**
 * Writes the files of one unit anew, bin by bin, and records where the rows are now. Nothing is published. A bin that
 * cannot be read or written, or whose rows would not be the same, is left as it is, with the reason.
 */
export async function runRewrite(input: RewriteInput, deps: StepDeps): Promise<JsonValue> {
  const { run, unit: item } = input;
  const before = await readRewriteResult(deps.store, run, item);
  if (before !== undefined) return { unit: before.unit, files: filesOf(before) };
  const measure = startMeasuring(deps);
  const { tables } = await readMaintenancePlan(deps.store, run);
  const unit = await readRewriteUnit(deps.store, run, item);
  const table = tables.find(({ id }) => id === unit.table);
  if (table === undefined) throw new RangeError(`${unit.unit}: the plan has no table ${unit.table}`);
  const base = await readBase(deps.store, run, item.round, table.id);
  const marks = (attempt: number): string => runFolder.attempt(run, item.round, unit.unit, attempt);
  const done = await underMark(deps, marks, async () => {
    const bins: RewrittenBin[] = [];
    const left: LeftPartition[] = [];
    const packing = packingOf(unit);
    for (const [at, bin] of unit.bins.entries()) {
      const outcome = await rewriteOrLeave(
        deps,
        { table, base, packing, stem: `${rewriteStem(run)}${item.round}` },
        bin,
      );
      if ('reason' in outcome) left.push(outcome);
      else bins.push({ bin: at, rows: bin.rows, ...outcome });
    }
    return { bins, left };
  });
  const { bins, left } = done ?? { bins: [], left: unit.bins.map((bin) => leave(table, bin, DEATHS)) };
  const result: RewriteResult = { unit: unit.unit, table: table.id, bins, left, ...measure(RECORDING) };
  const recorded = await writeOnce(deps.store, runFolder.unitResult(run, item.round, unit.unit), result);
  return { unit: recorded.unit, files: filesOf(recorded) };
}

/** What is wrong with files of a bin, or with what came of them; a file that is gone was forgotten meanwhile. */
const LEAVING = [EngineError, UnreadableTable, AuditFailed, ObjectNotFound];

type Place = {
  readonly table: MaintainedTable;
  readonly base: TableMetadata;
  readonly packing: ReturnType<typeof packingOf>;
  readonly stem: string;
};

async function rewriteOrLeave(
  deps: StepDeps,
  place: Place,
  bin: Bin,
): Promise<Pick<RewrittenBin, 'written'> | LeftPartition> {
  try {
    return { written: await rewriteBin(deps, place, bin) };
  } catch (cause) {
    if (!LEAVING.some((kind) => cause instanceof kind) || !(cause instanceof Error)) throw cause;
    deps.log.warn('files are left as they are', { partition: bin.partition, cause: cause.message });
    return leave(place.table, bin, cause.message);
  }
}

function leave({ table }: MaintainedTable, { partition }: Bin, reason: string): LeftPartition {
  return { table: fullName(table), partition, reason };
}

async function rewriteBin(deps: StepDeps, place: Place, bin: Bin): Promise<RewrittenBin['written']> {
  const { table, base, stem } = place;
  const schema = currentSchema(base);
  const spec = specById(base, bin.spec);
  const partition = parsePartitionPath(spec, schema, bin.partition);
  // Several threads would each bring their next row group into whichever file is being written: files would lie over each other.
  const sorted = table.sort.length > 0 && table.zorder.length === 0;
  await using session = await deps.engine.open({ ...deps.settings, ...(sorted && { threads: 1 }) });
  await using scratch = await openScratch(deps, 'rewrite');
  const own = scanColumns(base, []);
  const columns = table.with_file ? [...own, { ...BRONZE_FILE, id: BRONZE_FILE_ID }] : own;
  const files = bin.files.map(({ path, foreign, deleted }) => ({
    ...{ path, foreign, specId: bin.spec, partition },
    sequence: BigInt(deleted?.sequence ?? 0),
    deletes: (deleted?.by ?? []).map((one) => ({ path: one.path, sequence: BigInt(one.sequence) })),
  }));
  await using borrowed = await openFiles(session, deps.store, base, files);
  const from = renderScan(columns, borrowed.files);
  const laidOut = await layOut(session, table, from, bin);
  const rows = { table: table.table, schema, withFile: table.with_file, fileBytes: bin.file_bytes };
  const trial: Trial = (packed, most) => {
    const some = renderScan(columns, borrowed.files.slice(0, filesOfFirst(bin, most)));
    return bytesOfSome(
      session,
      { ...rows, from: some, sortBy: [], folder: `${scratch.folder}/${packed}`, packed },
      most,
    );
  };
  // What is ordered anew is read more often than written, and packs in another way than the rows that are at hand to try.
  const packed = laidOut.orderBy === undefined && !sorted ? await place.packing(bin, trial) : 'small';
  const check = (paths: readonly string[]): Promise<void> => checkSame(session, columns, from, paths);
  const folder = `${scratch.folder}/out`;
  return await stagePartition(session, { ...rows, ...laidOut, spec, partition, folder, packed, stem, check }, deps);
}

/** Throws AuditFailed when the new files don't have the rows of the old ones. */
async function checkSame(
  session: Session,
  columns: readonly ScanColumn[],
  from: Sql,
  paths: readonly string[],
): Promise<void> {
  const [was] = await session.rows(fingerprintRows(from, columns));
  const written = await scanLarge(session, columns, paths, Number(was?.['rows']));
  const [is] = await session.rows(fingerprintRows(written, columns));
  if (was !== undefined && is !== undefined && textOf(was) === textOf(is)) return;
  throw new AuditFailed(
    `rows that were written anew are not the rows that were read: got ${is && textOf(is)}; expected ${was && textOf(was)}; they stay as they were`,
  );
}

function textOf({ rows, hashes }: Row): string {
  return `${String(rows)} rows with hashes that sum to ${String(hashes)}`;
}

function filesOf({ bins }: RewriteResult): number {
  return bins.reduce((sum, { written }) => sum + written.length, 0);
}
