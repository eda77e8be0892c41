import { join } from 'node:path';
import { NO_INPUTS } from '../../../core/input-bytes.ts';
import type { ExchangeRung, Ladder, PartialRung } from '../../../core/ladder.ts';
import type { MergeUnit } from '../../../core/merge-unit.ts';
import { NO_ROWS } from '../../../core/row-counts.ts';
import { type GoldModel, modelId } from '../../../core/spec.ts';
import type { Sql } from '../../../core/sql-text.ts';
import type { StepDeps } from '../../../lake/deps.ts';
import { openScratch } from '../../../lake/files/scratch.ts';
import { stageFiles } from '../../../lake/files/stage-files.ts';
import { bringBuckets } from '../../../lake/ladder/bring-buckets.ts';
import { bringing } from '../../../lake/ladder/bringing.ts';
import type { UnitContext } from '../../../lake/run/unit-context.ts';
import { emptyResult, type UnitResult } from '../../../lake/run/unit-result.ts';
import { bindReads } from '../../../lake/tables/bind-reads.ts';
import { pathOf } from '../../../lake/tables/foreign-files.ts';
import { type OpenedTables, openTables } from '../../../lake/tables/open-tables.ts';
import { findNeeds, type ReadNeeds } from '../../../lake/tables/read-needs.ts';
import { columnsOfRef, createPlaces, viewName } from '../../../lake/tables/table-state.ts';
import { loadTarget } from '../../../lake/tables/target.ts';
import type { Borrowed, Session } from '../../../ports.ts';
import { bitsOf, probeDivision } from '../../../sql/ladder/average.ts';
import { createExchangedView, createPartials, renderBuckets } from '../../../sql/ladder/buckets.ts';
import { PARTIALS, renderReduce } from '../../../sql/ladder/reduce.ts';
import { renderScan } from '../../../sql/scan.ts';
import { selectAll } from '../../../sql/scans.ts';
import { createHashMacros } from '../../../sql/transform.ts';
import { userTerm } from '../../../sql/user-sql.ts';
import { withNulls } from '../../../sql/write.ts';

export type CombineUnit = Extract<MergeUnit, { kind: 'combine' }>;

type Context = Pick<UnitContext, 'plan' | 'planned'> & { readonly unit: CombineUnit; readonly model: GoldModel };

/** Computes the rows of a gold model that come of some buckets, and writes its data files. */
export async function combineGold(
  given: Pick<UnitContext, 'plan' | 'planned'>,
  unit: CombineUnit,
  model: GoldModel,
  deps: StepDeps,
): Promise<UnitResult> {
  const { plan, planned } = given;
  const context = { plan, planned, unit, model };
  const from = userTerm(model.sql);
  const needs = (): Promise<ReadNeeds> =>
    findNeeds(deps, selectAll(from), (session) => bindReads(session, plan.spec, model, planned.reads_also ?? {}));
  return bringing(deps.log, { model: model.id, unit: unit.unit }, needs, (asked) => combine(context, asked, deps));
}

async function combine(context: Context, needs: () => Promise<ReadNeeds>, deps: StepDeps): Promise<UnitResult> {
  const { plan, planned, unit, model } = context;
  const { ladder, shape } = planned;
  if (ladder === undefined) throw new RangeError(`${unit.unit}: ${model.id} is computed by one worker`);
  const target = await loadTarget(deps.store, plan, shape);
  await using session = await deps.engine.open(deps.settings);
  if (model.partitionBy.some((f) => f.transform.kind === 'bucket')) await session.run(createHashMacros());
  await using brought = await bringBuckets(deps.store, unit.files, { span: unit, columns: columnsOf(ladder) });
  const others = ladder.rung === 2 ? [] : othersOf(model, ladder);
  const reading = { refs: others, also: planned.reads_also, needs };
  await using tables = others.length === 0 ? undefined : await openTables(deps.store, session, plan, reading);
  const from =
    ladder.rung === 2
      ? await groups(session, ladder, context.unit, brought)
      : await exchanged(session, ladder, context, brought);
  await using scratch = await openScratch(deps, unit.unit);
  const rows = {
    from: withNulls(from, shape.kept ?? []),
    target,
    folder: join(scratch.folder, 'out'),
    fileBytes: plan.spec.settings.fileBytes,
    stem: `${plan.run.run_id}-${unit.unit}`,
  };
  const staged = await stageFiles(session, rows, deps);
  return resultOf(context, staged, tables);
}

function resultOf(
  { unit, model }: Context,
  { rows, placed }: { readonly rows: number; readonly placed: UnitResult['written'] },
  tables: OpenedTables | undefined,
): UnitResult {
  const counts = { ...NO_ROWS, accepted: rows };
  const { bytes: inputs, reads } = tables ?? { bytes: NO_INPUTS, reads: {} };
  return { ...emptyResult(unit.unit, model.id), counts, written: placed, inputs, reads };
}

/** Tables of which every unit reads what it needs. */
function othersOf({ reads }: GoldModel, { tables }: ExchangeRung): GoldModel['reads'] {
  const ids = new Set(tables.map(({ table }) => table));
  return reads.filter((ref) => !ids.has(modelId(ref)));
}

function columnsOf(ladder: Ladder): number {
  return ladder.rung === 2 ? ladder.columns.length : Math.max(...ladder.tables.map(({ columns }) => columns.length));
}

async function groups(session: Session, ladder: PartialRung, unit: CombineUnit, brought: Borrowed): Promise<Sql> {
  const [probed] = await session.rows(probeDivision());
  const paths = unit.files.map(({ key }) => pathOf(brought, key));
  await session.run(createPartials(PARTIALS, renderBuckets(paths, unit)));
  return renderReduce(ladder, bitsOf(probed));
}

/** Makes the model's SQL find the rows of some buckets where it names a table that is exchanged. */
async function exchanged(
  session: Session,
  ladder: ExchangeRung,
  { plan, planned, unit, model }: Context,
  brought: Borrowed,
): Promise<Sql> {
  await createPlaces(session, model.reads);
  for (const ref of model.reads) {
    const table = ladder.tables.find((one) => one.table === modelId(ref));
    if (table === undefined) continue;
    const paths = unit.files.filter((file) => file.table === table.table).map(({ key }) => pathOf(brought, key));
    const all = [...columnsOfRef(plan.spec, ref), ...(planned.reads_also?.[table.table] ?? [])];
    const columns = all.filter(({ name }) => table.columns.includes(name)).map((column) => ({ ...column, id: -1 }));
    const rows = paths.length === 0 ? renderScan(columns, []) : renderBuckets(paths, unit);
    await session.run(createExchangedView(viewName(ref), rows));
  }
  return userTerm(model.sql);
}
