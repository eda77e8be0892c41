import { join } from 'node:path';
import type { KeyedModel } from '../../core/keyed.ts';
import type { SilverModel } from '../../core/spec.ts';
import type { Sql } from '../../core/sql-text.ts';
import type { Session, WrittenFile } from '../../ports.ts';
import { writeEvents } from '../../sql/events.ts';
import { writeExchange } from '../../sql/exchange.ts';
import { withNulls, writeTable } from '../../sql/write.ts';
import type { StepDeps } from '../deps.ts';
import { runFolder } from '../run/run-folder.ts';
import type { UnitContext } from '../run/unit-context.ts';
import type { Placed } from '../run/unit-result.ts';
import { fieldIdsOf } from '../tables/table-state.ts';
import { loadTarget } from '../tables/target.ts';
import { dedupeColumns } from './known-rows.ts';
import { placeDataFiles } from './place-files.ts';

export type Output = {
  readonly rows: number;
  readonly written: readonly Placed[];
  readonly exchanged: readonly Placed[];
};

/** Writes a relation as the unit's output: data files of the table, or files by bucket for the merge. */
export async function writeOutput(
  session: Session,
  context: UnitContext,
  model: SilverModel,
  from: Sql,
  scratch: string,
  deps: StepDeps,
): Promise<Output> {
  const rows = withNulls(from, context.planned.shape.kept ?? []);
  switch (context.planned.output) {
    case 'final':
      return writeFinal(session, context, model, rows, scratch, deps);
    case 'exchange':
      return writeBuckets(session, context, model, rows, scratch, deps);
    case 'keyed':
      throw new RangeError(`${model.id} is keyed: its rows are staged as events`);
  }
}

export async function writeFinal(
  session: Session,
  context: Pick<UnitContext, 'plan' | 'planned'> & { readonly unit: { readonly unit: string } },
  model: SilverModel,
  from: Sql,
  scratch: string,
  deps: StepDeps,
): Promise<Output> {
  const { plan, planned, unit } = context;
  const target = await loadTarget(deps.store, plan, planned.shape);
  const files = await session.copy(
    writeTable({
      name: `write ${model.id}`,
      from,
      columns: planned.shape.columns,
      fieldIds: fieldIdsOf(target.schema),
      partitionBy: model.partitionBy,
      sortBy: model.sortBy,
      folder: join(scratch, 'out'),
      fileBytes: plan.spec.settings.fileBytes,
    }),
  );
  const stem = `${plan.run.run_id}-${unit.unit}`;
  const written = await placeDataFiles(deps, files, { table: planned.shape.table, ...target, stem });
  return { rows: rowsOf(files), written, exchanged: [] };
}

async function writeBuckets(
  session: Session,
  context: UnitContext,
  model: SilverModel,
  from: Sql,
  scratch: string,
  deps: StepDeps,
): Promise<Output> {
  const { planned, unit } = context;
  const files = await session.copy(
    writeExchange({
      from,
      columns: planned.shape.columns,
      by: dedupeColumns(model),
      buckets: planned.buckets,
      ordinal: unit.ordinal,
      folder: join(scratch, 'exchange'),
    }),
  );
  return { rows: rowsOf(files), written: [], exchanged: await placeExchanged(context, files, deps) };
}

/** Stages kept rows as events of their keys, by key bucket. `paths` gives the store key of each local file. */
export async function writeKeyedEvents(
  session: Session,
  context: UnitContext,
  model: KeyedModel,
  files: readonly { readonly path: string; readonly key: string }[],
  scratch: string,
  deps: StepDeps,
): Promise<Output> {
  const [bucket] = context.planned.shape.partitionBy;
  if (bucket === undefined) throw new RangeError(`${model.id} has no key bucket`);
  const { mode } = model;
  const { columns, shape, log } = context.planned;
  const kept = [...(shape.kept ?? []), ...(log?.kept ?? [])];
  const folder = join(scratch, 'events');
  const staged = await session.copy(writeEvents({ mode, columns, kept, bucket, files, folder }));
  return { rows: rowsOf(staged), written: [], exchanged: await placeExchanged(context, staged, deps) };
}

function rowsOf(files: readonly WrittenFile[]): number {
  return files.reduce((sum, file) => sum + file.rows, 0);
}

async function placeExchanged(
  context: UnitContext,
  files: readonly WrittenFile[],
  deps: StepDeps,
): Promise<readonly Placed[]> {
  const { plan, level, unit } = context;
  const folder = runFolder.exchange(plan.run, level, unit.unit);
  const exchanged: Placed[] = [];
  for (const file of files) {
    const key = `${folder}/${file.partition[0]?.value ?? 'none'}-${deps.ids.unique()}.parquet`;
    await deps.store.publish(file.path, key);
    exchanged.push({ key, written: { ...file, path: '' } });
  }
  return exchanged;
}
