import { join } from 'node:path';
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
import { dedupeColumns } from './known-rows.ts';
import { stageExchanged, stageFiles } from './stage-files.ts';

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
      return writeFinal(session, context, rows, scratch, deps);
    case 'exchange':
      return writeBuckets(session, context, model, rows, scratch, deps);
    case 'keyed':
      throw new RangeError(`${model.id} is keyed: its rows are staged as events`);
  }
}

export async function writeFinal(
  session: Session,
  context: Pick<UnitContext, 'plan' | 'planned'> & { readonly unit: { readonly unit: string } },
  from: Sql,
  scratch: string,
  deps: StepDeps,
): Promise<Output> {
  const { plan, planned, unit } = context;
  const target = await loadTarget(deps.store, plan, planned.shape);
  const { fileBytes } = plan.spec.settings;
  const stem = `${plan.run.run_id}-${unit.unit}`;
  const { rows, placed } = await stageFiles(
    session,
    { from, target, folder: join(scratch, 'out'), fileBytes, stem },
    deps,
  );
  return { rows, written: placed, exchanged: [] };
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
  const copy = writeExchange({
    from,
    columns: planned.shape.columns,
    by: dedupeColumns(model),
    buckets: planned.buckets,
    ordinal: unit.ordinal,
    folder: join(scratch, 'exchange'),
  });
  return exchange(session, context, copy, deps);
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
  return exchange(session, context, writeEvents({ mode, columns, kept, bucket, files, folder }), deps);
}

async function exchange(
  session: Session,
  { plan, level, unit }: UnitContext,
  copy: CopyStatement,
  deps: StepDeps,
): Promise<Output> {
  const folder = runFolder.exchange(plan.run, level, unit.unit);
  const { rows, placed } = await stageExchanged(session, copy, folder, deps);
  return { rows, written: [], exchanged: placed };
}
