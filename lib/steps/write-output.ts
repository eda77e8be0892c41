import { join } from 'node:path';
import type { SilverModel } from '../core/spec.ts';
import type { Session } from '../ports.ts';
import { writeExchange } from '../sql/exchange.ts';
import { writeTable } from '../sql/write.ts';
import type { StepDeps } from './deps.ts';
import { dedupeColumns } from './known-rows.ts';
import { type Placed, placeDataFiles } from './place-files.ts';
import { runFolder } from './run-folder.ts';
import type { UnitContext } from './stage.ts';
import { fieldIdsOf, loadBase } from './table-state.ts';
import { planTarget } from './target.ts';

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
  from: string,
  scratch: string,
  deps: StepDeps,
): Promise<Output> {
  return context.planned.output === 'final'
    ? writeFinal(session, context, model, from, scratch, deps)
    : writeBuckets(session, context, model, from, scratch, deps);
}

export async function writeFinal(
  session: Session,
  context: Pick<UnitContext, 'plan' | 'planned'> & { readonly unit: { readonly unit: string } },
  model: SilverModel,
  from: string,
  scratch: string,
  deps: StepDeps,
): Promise<Output> {
  const { plan, planned, unit } = context;
  const target = planTarget(deps.store, await loadBase(deps.store, plan, model.id), planned, model);
  const files = await session.copy(
    writeTable({
      name: `write ${model.id}`,
      from,
      columns: planned.columns,
      fieldIds: fieldIdsOf(target.schema),
      partitionBy: model.partitionBy,
      sortBy: model.sortBy,
      folder: join(scratch, 'out'),
      fileBytes: plan.spec.settings.fileBytes,
    }),
  );
  const stem = `${plan.run.run_id}-${unit.unit}`;
  const written = await placeDataFiles(deps, files, { table: planned.table, ...target, stem });
  return { rows: files.reduce((sum, f) => sum + f.rows, 0), written, exchanged: [] };
}

async function writeBuckets(
  session: Session,
  context: UnitContext,
  model: SilverModel,
  from: string,
  scratch: string,
  deps: StepDeps,
): Promise<Output> {
  const { plan, level, planned, unit } = context;
  const files = await session.copy(
    writeExchange({
      from,
      columns: planned.columns,
      by: dedupeColumns(model),
      buckets: planned.buckets,
      ordinal: unit.ordinal,
      folder: join(scratch, 'exchange'),
    }),
  );
  const folder = runFolder.exchange(plan.run, level, unit.unit);
  const exchanged: Placed[] = [];
  for (const file of files) {
    const key = `${folder}/${file.partition[0]?.value ?? 'none'}-${deps.ids.unique()}.parquet`;
    await deps.store.publish(file.path, key);
    exchanged.push({ key, written: { ...file, path: '' } });
  }
  return { rows: files.reduce((sum, f) => sum + f.rows, 0), written: [], exchanged };
}
