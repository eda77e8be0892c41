import { join } from 'node:path';
import type { Ladder } from '../../../core/ladder.ts';
import type { GoldModel } from '../../../core/spec.ts';
import type { Sql } from '../../../core/sql-text.ts';
import type { StepDeps } from '../../../lake/deps.ts';
import { openScratch } from '../../../lake/files/scratch.ts';
import { runFolder } from '../../../lake/run/run-folder.ts';
import type { UnitContext } from '../../../lake/run/unit-context.ts';
import { emptyResult, type Placed, type UnitResult } from '../../../lake/run/unit-result.ts';
import { bindReads } from '../../../lake/tables/bind-reads.ts';
import { openTables } from '../../../lake/tables/open-tables.ts';
import { findNeeds, type ReadNeeds } from '../../../lake/tables/read-needs.ts';
import { rowsPerGroup } from '../../../plan/ladder/choose-rung.ts';
import { writeBuckets } from '../../../sql/ladder/buckets.ts';
import { renderMap } from '../../../sql/ladder/reduce.ts';
import { selectAll } from '../../../sql/scans.ts';

/** Writes what a unit makes of its files of a table, by bucket, as one object below the run's folder. */
export async function mapGold(
  context: UnitContext,
  model: GoldModel,
  ladder: Ladder,
  deps: StepDeps,
): Promise<UnitResult> {
  const { plan, planned, unit, level } = context;
  const made = mapOf(ladder);
  const needs = (): Promise<ReadNeeds> =>
    findNeeds(deps, selectAll(made.from), (session) => bindReads(session, plan.spec, model, planned.reads_also ?? {}));
  await using session = await deps.engine.open(deps.settings);
  const reading = { refs: model.reads, also: planned.reads_also, needs, only: unit.share };
  await using tables = await openTables(deps.store, session, plan, reading);
  await using scratch = await openScratch(deps, unit.unit);
  const { buckets } = ladder;
  const copy = writeBuckets({
    ...made,
    buckets,
    rowsPerGroup: rowsPerGroup(unit.share?.rows ?? 0, buckets),
    path: join(scratch.folder, 'buckets.parquet'),
  });
  const placed: Placed[] = [];
  for (const file of await session.copy(copy)) {
    if (file.rows === 0) continue;
    const key = `${runFolder.exchange(plan.run, level, unit.unit)}/${deps.ids.unique()}.parquet`;
    await deps.store.publish(file.path, key);
    placed.push({ key, written: { ...file, path: '', columns: [] } });
  }
  return { ...emptyResult(unit.unit, model.id), exchanged: placed, inputs: tables.bytes };
}

type Map = {
  readonly from: Sql;
  readonly columns: readonly string[];
  readonly by: readonly string[];
  readonly floats: boolean;
};

function mapOf(ladder: Ladder): Map {
  if (ladder.rung === 3) throw new RangeError('not yet');
  const columns = ladder.columns.map(({ name }) => name);
  const by = ladder.columns.filter(({ key }) => key).map(({ name }) => name);
  return { from: renderMap(ladder), columns, by, floats: false };
}
