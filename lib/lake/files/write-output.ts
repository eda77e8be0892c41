import { join } from 'node:path';
import { BRONZE_FILE } from '../../core/bronze-file.ts';
import { dedupeColumns } from '../../core/dedupe.ts';
import type { KeyedModel } from '../../core/keyed.ts';
import type { SilverModel } from '../../core/spec.ts';
import type { Sql } from '../../core/sql-text.ts';
import type { CopyStatement, Session } from '../../ports.ts';
import { writeEvents } from '../../sql/events.ts';
import { writeExchange } from '../../sql/exchange.ts';
import { withNulls } from '../../sql/write.ts';
import type { StepDeps } from '../deps.ts';
import { runFolder } from '../run/run-folder.ts';
import type { UnitContext } from '../run/unit-context.ts';
import type { Placed } from '../run/unit-result.ts';
import { loadTarget } from '../tables/target.ts';
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
    folder: join(writer.scratch, 'exchange'),
  });
  return exchange(writer, copy, deps);
}

/** Stages kept rows as events of their keys, by key bucket. `files` gives the store key of each local path. */
export async function writeKeyedEvents(
  writer: UnitWriter,
  { id, mode }: KeyedModel,
  files: readonly { readonly path: string; readonly key: string }[],
  deps: StepDeps,
): Promise<Output> {
  const { columns, shape, log } = writer.context.planned;
  const [bucket] = shape.partitionBy;
  if (bucket === undefined) throw new RangeError(`${id} has no key bucket`);
  const kept = [...(shape.kept ?? []), ...(log?.kept ?? [])];
  const folder = join(writer.scratch, 'events');
  return exchange(writer, writeEvents({ mode, columns, kept, bucket, files, folder }), deps);
}

async function exchange({ session, context }: UnitWriter, copy: CopyStatement, deps: StepDeps): Promise<Output> {
  const { plan, level, unit } = context;
  const folder = runFolder.exchange(plan.run, level, unit.unit);
  const { rows, placed } = await stageExchanged(session, copy, folder, deps);
  return { rows, written: [], exchanged: placed };
}
