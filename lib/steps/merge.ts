import { type MergeUnit, NO_ROWS, type UnitInput } from '../core/run.ts';
import type { SilverModel } from '../core/spec.ts';
import type { JsonValue, Session } from '../ports.ts';
import { countMerged, createExchanged, createMerged } from '../sql/exchange.ts';
import { renderScan } from '../sql/scan.ts';
import { createHashMacros } from '../sql/transform.ts';
import type { StepDeps } from './deps.ts';
import { dedupeColumns, KNOWN_ROWS, openKnown } from './known-rows.ts';
import { withScratch } from './place-files.ts';
import { readJson, readJsonIfAny, readLevelPlan, readPlan, runFolder, writeOnce } from './run-folder.ts';
import { findPlanned, type UnitContext } from './stage.ts';
import { findModel, loadBase, pathOf } from './table-state.ts';
import { planTarget } from './target.ts';
import { emptyResult, type UnitResult } from './unit-result.ts';
import { writeFinal } from './write-output.ts';

type MergeContext = Pick<UnitContext, 'plan' | 'planned'> & { readonly unit: MergeUnit };

/** Turns staged files into new data files of the table and records what became of the rows. Idempotent as a stage unit. */
export async function runMerge(input: UnitInput, deps: StepDeps): Promise<JsonValue> {
  const { run, unit: item } = input;
  const key = runFolder.unitResult(run, item.level, item.unit);
  const before = await readJsonIfAny<UnitResult>(deps.store, key);
  if (before !== undefined) return { unit: before.unit, accepted: before.counts.accepted };
  const started = deps.clock.now().getTime();
  const plan = await readPlan(deps.store, run);
  const unit = await readJson<MergeUnit>(deps.store, runFolder.unit(run, item.level, item.unit));
  const planned = findPlanned(await readLevelPlan(deps.store, run, item.level), unit.model);
  const model = findModel(plan.spec, unit.model);
  if (model.layer !== 'silver') throw new RangeError(`${unit.unit}: only silver models are merged`);
  const result = await mergeUnit({ plan, planned, unit }, model, deps);
  const recorded = await writeOnce(deps.store, key, { ...result, ms: deps.clock.now().getTime() - started });
  return { unit: recorded.unit, accepted: recorded.counts.accepted };
}

async function mergeUnit(context: MergeContext, model: SilverModel, deps: StepDeps): Promise<UnitResult> {
  const session = await deps.engine.open(deps.settings);
  const borrowed = await deps.store.borrow(context.unit.inputs);
  try {
    if (model.partitionBy.some((f) => f.transform.kind === 'bucket')) await session.run(createHashMacros());
    const paths = context.unit.inputs.map((key) => pathOf(borrowed, key));
    return await withScratch(deps, context.unit.unit, (scratch) =>
      context.unit.kind === 'dedupe'
        ? dedupe(session, context, model, paths, scratch, deps)
        : compact(session, context, model, paths, scratch, deps),
    );
  } finally {
    await session.close();
    await borrowed.release();
  }
}

async function dedupe(
  session: Session,
  context: MergeContext,
  model: SilverModel,
  paths: readonly string[],
  scratch: string,
  deps: StepDeps,
): Promise<UnitResult> {
  const known = await openKnown(session, context, model, deps);
  try {
    await session.run(createExchanged(paths));
    await session.run(createMerged(dedupeColumns(model), known === undefined ? undefined : KNOWN_ROWS));
    const counted = (await session.rows(countMerged()))[0];
    const output = await writeFinal(session, context, model, '__merged', scratch, deps);
    const duplicates = Number(counted?.['staged']) - Number(counted?.['kept']);
    const counts = { ...NO_ROWS, accepted: output.rows, duplicates };
    return { ...emptyResult(context.unit.unit, model.id), counts, written: output.written };
  } finally {
    await known?.release();
  }
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
  const target = planTarget(deps.store, await loadBase(deps.store, plan, model.id), planned, model);
  const ids = new Map(target.schema.fields.map((f) => [f.name, f.id]));
  const scan = renderScan(
    planned.columns.map((c) => ({ ...c, id: ids.get(c.name) ?? -1 })),
    paths,
  );
  const output = await writeFinal(session, context, model, scan, scratch, deps);
  const counts = { ...NO_ROWS, accepted: output.rows };
  return { ...emptyResult(context.unit.unit, model.id), counts, written: output.written };
}
