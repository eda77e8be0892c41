import { BRONZE_FILE, BRONZE_FILE_ID } from '../../core/bronze-file.ts';
import { dedupeColumns, keepOf } from '../../core/dedupe.ts';
import { NO_INPUTS } from '../../core/input-bytes.ts';
import type { MergeUnit } from '../../core/merge-unit.ts';
import { NO_ROWS } from '../../core/row-counts.ts';
import type { SilverModel } from '../../core/spec.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { findKnown, KNOWN_ROWS, loadKnown } from '../../lake/files/known-rows.ts';
import { openScratch } from '../../lake/files/scratch.ts';
import { writeFinal } from '../../lake/files/write-output.ts';
import type { UnitContext } from '../../lake/run/unit-context.ts';
import { emptyResult, type UnitResult } from '../../lake/run/unit-result.ts';
import { pathOf } from '../../lake/tables/foreign-files.ts';
import { loadTarget } from '../../lake/tables/target.ts';
import type { Session } from '../../ports.ts';
import { countMerged, createExchanged, createMerged, EXCHANGED, MERGED } from '../../sql/exchange.ts';
import { renderScan } from '../../sql/scan.ts';
import { createHashMacros } from '../../sql/transform.ts';

type RowsUnit = Extract<MergeUnit, { kind: 'dedupe' | 'compact' }>;
type MergeContext = Pick<UnitContext, 'plan' | 'planned'> & { readonly unit: RowsUnit };

/** Joins staged files of an append, replace or full model: the duplicates of an exchange go, small files become large ones. */
export async function mergeRows(
  context: Pick<UnitContext, 'plan' | 'planned'>,
  unit: MergeUnit,
  model: SilverModel,
  deps: StepDeps,
): Promise<UnitResult> {
  if (unit.kind === 'keyed' || unit.kind === 'combine')
    throw new RangeError(`${unit.unit}: ${model.id} is neither keyed nor gold`);
  return mergeUnit({ ...context, unit }, model, deps);
}

async function mergeUnit(context: MergeContext, model: SilverModel, deps: StepDeps): Promise<UnitResult> {
  await using session = await deps.engine.open(deps.settings);
  await using borrowed = await deps.store.borrow(context.unit.inputs);
  if (context.planned.shape.partitionBy.some((f) => f.transform.kind === 'bucket'))
    await session.run(createHashMacros());
  const paths = context.unit.inputs.map((key) => pathOf(borrowed, key));
  await using scratch = await openScratch(deps, context.unit.unit);
  return context.unit.kind === 'dedupe'
    ? await dedupe(session, context, model, paths, scratch.folder, deps)
    : await compact(session, context, model, paths, scratch.folder, deps);
}

async function dedupe(
  session: Session,
  context: MergeContext,
  model: SilverModel,
  paths: readonly string[],
  scratch: string,
  deps: StepDeps,
): Promise<UnitResult> {
  const table = await loadKnown(context, model, deps);
  await session.run(createExchanged(paths));
  const inputs = table === undefined ? NO_INPUTS : await findKnown(session, { context, model, table }, EXCHANGED, deps);
  await session.run(createMerged(dedupeColumns(model), table === undefined ? undefined : KNOWN_ROWS, keepOf(model)));
  const counted = (await session.rows(countMerged()))[0];
  const output = await writeFinal({ session, context, scratch }, MERGED, deps);
  const duplicates = Number(counted?.['staged']) - Number(counted?.['kept']);
  const counts = { ...NO_ROWS, accepted: output.rows, duplicates };
  return { ...emptyResult(context.unit.unit, model.id), counts, written: output.written, inputs };
}

async function compact(
  session: Session,
  context: MergeContext,
  model: SilverModel,
  paths: readonly string[],
  scratch: string,
  deps: StepDeps,
): Promise<UnitResult> {
  const { plan, planned } = context;
  const target = await loadTarget(deps.store, plan, planned.shape);
  const ids = new Map(target.schema.fields.map((f) => [f.name, f.id]));
  const columns = planned.shape.columns.map((c) => ({ ...c, id: ids.get(c.name) ?? -1 }));
  const scan = renderScan([...columns, { ...BRONZE_FILE, id: BRONZE_FILE_ID }], paths);
  const output = await writeFinal({ session, context, scratch }, scan, deps);
  const counts = { ...NO_ROWS, accepted: output.rows };
  return { ...emptyResult(context.unit.unit, model.id), counts, written: output.written };
}
