import { join } from 'node:path';
import { BRONZE_FILE } from '../../core/bronze-file.ts';
import { dedupeColumns } from '../../core/dedupe.ts';
import { countRanges, type KeyRanges } from '../../core/key-ranges.ts';
import type { KeyedModel } from '../../core/keyed.ts';
import type { PipelineSettings, SilverModel } from '../../core/spec.ts';
import type { Sql } from '../../core/sql-text.ts';
import { fillsRowGroups } from '../../plan/buckets.ts';
import type { CopyStatement, Session, WrittenFile } from '../../ports.ts';
import { renderEvents } from '../../sql/events.ts';
import { writeExchange } from '../../sql/exchange.ts';
import { BUCKET } from '../../sql/scan.ts';
import { withNulls, writeTable } from '../../sql/write.ts';
import type { StepDeps } from '../deps.ts';
import { runFolder } from '../run/run-folder.ts';
import type { UnitContext } from '../run/unit-context.ts';
import type { Placed } from '../run/unit-result.ts';
import { fieldIdsOf } from '../tables/field-ids.ts';
import { loadTarget, type Target } from '../tables/target.ts';
import { partitionsAnew } from '../tables/windowed.ts';
import { stageExchanged, stageFiles } from './stage-files.ts';

export type Output = {
  readonly rows: number;
  readonly written: readonly Placed[];
  readonly exchanged: readonly Placed[];
};

/** Where a unit's rows are, and where its files are made. */
export type UnitWriter<Context = UnitContext> = {
  readonly session: Session;
  readonly context: Context;
  /** A local folder. */
  readonly scratch: string;
};

/** Writes a relation, which has each row's BRONZE_FILE, as the unit's output: data files of the table, or files by bucket for the merge. */
export async function writeOutput(writer: UnitWriter, model: SilverModel, from: Sql, deps: StepDeps): Promise<Output> {
  const { planned } = writer.context;
  const rows = withNulls(from, planned.shape.kept ?? []);
  switch (planned.output) {
    case 'final':
      return writeFinal(writer, rows, deps);
    case 'exchange':
      return writeBuckets(writer, model, rows, deps);
    case 'keyed':
      throw new RangeError(`${model.id} is keyed: its rows are staged as events`);
  }
}

/** Writes a relation, which has each row's BRONZE_FILE, as data files of the unit's table. */
export async function writeFinal(
  {
    session,
    context: { plan, planned, unit },
    scratch,
  }: UnitWriter<Pick<UnitContext, 'plan' | 'planned'> & { readonly unit: { readonly unit: string } }>,
  from: Sql,
  deps: StepDeps,
): Promise<Output> {
  const target = await loadTarget(deps.store, plan, planned.shape);
  const { fileBytes } = plan.spec.settings;
  const stem = `${plan.run.run_id}-${unit.unit}`;
  const keep = partitionsAnew(plan, target);
  const staging = {
    from,
    target,
    folder: join(scratch, 'out'),
    fileBytes,
    stem,
    withFile: true,
    full: fillsRowGroups(planned.bytes ?? 0),
    ...(keep && { keep }),
  };
  const { rows, placed } = await stageFiles(session, staging, deps);
  return { rows, written: placed, exchanged: [] };
}

async function writeBuckets(writer: UnitWriter, model: SilverModel, from: Sql, deps: StepDeps): Promise<Output> {
  const { planned, unit } = writer.context;
  const copy = writeExchange({
    from,
    columns: [...planned.shape.columns, BRONZE_FILE],
    by: dedupeColumns(model),
    buckets: planned.buckets,
    ordinal: unit.ordinal,
    full: fillsRowGroups(planned.bytes ?? 0),
    folder: join(writer.scratch, 'exchange'),
  });
  return exchange(writer, copy, deps);
}

/** Kept rows of a keyed model, and the key of each row's file as an expression over it. */
export type KeptRows = { readonly from: Sql; readonly file: Sql };

/**
 * Stages kept rows as events of their keys, by key bucket, in files as the log has them. Answers nothing, and places
 * nothing, where a row has no key or no sequence: such rows have to be found first.
 */
export async function writeKeyedEvents(
  { session, context, scratch }: UnitWriter,
  { id, mode }: KeyedModel,
  { from, file }: KeptRows,
  deps: StepDeps,
): Promise<Output | undefined> {
  const { plan, planned, level, unit } = context;
  const { columns, shape, log } = planned;
  const bucket = planned.ranges ?? shape.partitionBy[0];
  if (bucket === undefined || log === null) throw new RangeError(`${id} has no key bucket, or no log`);
  const kept = [...(shape.kept ?? []), ...(log.kept ?? [])];
  const events = renderEvents({ from, mode, columns, kept, bucket, file });
  const target = await loadTarget(deps.store, plan, log);
  const full = fillsRowGroups(planned.bytes ?? 0);
  const copy = copyEvents(target, events, join(scratch, 'events'), { ...plan.spec.settings, full }, planned.ranges);
  const required = new Set([...mode.key, mode.sequence]);
  const whole = (files: readonly WrittenFile[]): boolean =>
    !files.some((one) => one.columns.some(({ path, nulls }) => nulls > 0 && isOne(path, required)));
  const staged = await stageExchanged(session, copy, runFolder.exchange(plan.run, level, unit.unit), deps, whole);
  return staged && { rows: staged.rows, written: [], exchanged: staged.placed };
}

function isOne([name, ...inside]: readonly string[], columns: ReadonlySet<string>): boolean {
  return name !== undefined && inside.length === 0 && columns.has(name);
}

function copyEvents(
  target: Target,
  from: Sql,
  folder: string,
  { fileBytes, full }: Pick<PipelineSettings, 'fileBytes'> & { readonly full: boolean },
  ranges: KeyRanges | undefined,
): CopyStatement {
  const inRanges = ranges === undefined || countRanges(ranges) === 1 ? {} : { fileOf: BUCKET };
  return writeTable({
    name: `write ${target.id} events`,
    from,
    columns: target.columns,
    fieldIds: fieldIdsOf(target.schema),
    partitionBy: target.partitionBy,
    ...(ranges === undefined ? { partitionColumns: [BUCKET] } : inRanges),
    sortBy: [],
    full,
    folder,
    fileBytes,
  });
}

async function exchange({ session, context }: UnitWriter, copy: CopyStatement, deps: StepDeps): Promise<Output> {
  const { plan, level, unit } = context;
  const folder = runFolder.exchange(plan.run, level, unit.unit);
  const staged = await stageExchanged(session, copy, folder, deps, () => true);
  return { rows: staged?.rows ?? 0, written: [], exchanged: staged?.placed ?? [] };
}
