import { join } from 'node:path';
import type { Ladder } from '../../../core/ladder.ts';
import { type GoldModel, modelId } from '../../../core/spec.ts';
import type { Sql } from '../../../core/sql-text.ts';
import type { StepDeps } from '../../../lake/deps.ts';
import { openScratch } from '../../../lake/files/scratch.ts';
import { bringing } from '../../../lake/ladder/bringing.ts';
import { runFolder } from '../../../lake/run/run-folder.ts';
import type { UnitContext } from '../../../lake/run/unit-context.ts';
import { emptyResult, type Placed, type UnitResult } from '../../../lake/run/unit-result.ts';
import { bindReads } from '../../../lake/tables/bind-reads.ts';
import { openTables } from '../../../lake/tables/open-tables.ts';
import { findNeeds, type ReadNeeds } from '../../../lake/tables/read-needs.ts';
import { columnsOfRef, viewName } from '../../../lake/tables/table-state.ts';
import { rowsPerGroup } from '../../../plan/ladder/choose-rung.ts';
import { selectColumns, writeBuckets } from '../../../sql/ladder/buckets.ts';
import { renderMap } from '../../../sql/ladder/reduce.ts';
import { holdsFloats } from '../../../sql/negative-zero.ts';
import { selectAll } from '../../../sql/scans.ts';

type Mapped = {
  readonly from: Sql;
  readonly columns: readonly string[];
  readonly by: readonly string[];
  readonly floats: boolean;
};

/** Writes what a unit makes of its files of a table, by bucket, as one object below the run's folder. */
export async function mapGold(
  context: UnitContext,
  model: GoldModel,
  ladder: Ladder,
  deps: StepDeps,
): Promise<UnitResult> {
  const { plan, planned, unit } = context;
  const mapped = mapOf(context, model, ladder);
  const needs = (): Promise<ReadNeeds> =>
    findNeeds(deps, selectAll(mapped.from), (session) =>
      bindReads(session, plan.spec, model, planned.reads_also ?? {}),
    );
  return bringing(deps.log, { model: model.id, unit: unit.unit }, needs, async (asked) => {
    await using session = await deps.engine.open(deps.settings);
    const refs = ladder.rung === 2 ? model.reads : model.reads.filter((ref) => modelId(ref) === unit.share?.table);
    const reading = { refs, also: planned.reads_also, needs: asked, only: unit.share };
    await using tables = await openTables(deps.store, session, plan, reading);
    await using scratch = await openScratch(deps, unit.unit);
    const { buckets } = ladder;
    const path = join(scratch.folder, 'buckets.parquet');
    const rows = rowsPerGroup(unit.share?.rows ?? 0, buckets);
    const written = await session.copy(writeBuckets({ ...mapped, buckets, rowsPerGroup: rows, path }));
    const exchanged = await place(context, written, deps);
    const of = unit.share === undefined ? {} : { of: unit.share.table };
    return { ...emptyResult(unit.unit, model.id), ...of, exchanged, inputs: tables.bytes, reads: tables.reads };
  });
}

async function place(
  { plan, level, unit }: UnitContext,
  written: readonly Placed['written'][],
  { store, ids }: StepDeps,
): Promise<readonly Placed[]> {
  const placed: Placed[] = [];
  for (const file of written.filter(({ rows }) => rows > 0)) {
    const key = `${runFolder.exchange(plan.run, level, unit.unit)}/${ids.unique()}.parquet`;
    await store.publish(file.path, key);
    placed.push({ key, written: { ...file, path: '', columns: [] } });
  }
  return placed;
}

function mapOf({ plan, planned, unit }: UnitContext, model: GoldModel, ladder: Ladder): Mapped {
  if (ladder.rung === 2) {
    const columns = ladder.columns.map(({ name }) => name);
    const by = ladder.columns.filter(({ key }) => key).map(({ name }) => name);
    return { from: renderMap(ladder), columns, by, floats: true };
  }
  const table = ladder.tables.find((one) => one.table === unit.share?.table);
  const ref = model.reads.find((one) => modelId(one) === table?.table);
  if (table === undefined || ref === undefined) throw new RangeError(`${unit.unit} has no table that is exchanged`);
  const all = [...columnsOfRef(plan.spec, ref), ...(planned.reads_also?.[table.table] ?? [])];
  const floats = holdsFloats(all.filter(({ name }) => table.columns.includes(name)));
  return { from: selectColumns(viewName(ref), table.columns), columns: table.columns, by: [table.key], floats };
}
