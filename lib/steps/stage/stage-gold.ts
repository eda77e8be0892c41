import { join } from 'node:path';
import type { EngineError } from '../../core/errors.ts';
import { NO_ROWS } from '../../core/row-counts.ts';
import type { GoldModel } from '../../core/spec.ts';
import type { Sql } from '../../core/sql-text.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { openScratch } from '../../lake/files/scratch.ts';
import { stageFiles } from '../../lake/files/stage-files.ts';
import { isUnread } from '../../lake/ladder/bringing.ts';
import type { UnitContext } from '../../lake/run/unit-context.ts';
import { emptyResult, type UnitResult } from '../../lake/run/unit-result.ts';
import { bindReads } from '../../lake/tables/bind-reads.ts';
import { openTables } from '../../lake/tables/open-tables.ts';
import { findNeeds, NEEDS_ALL, type ReadNeeds } from '../../lake/tables/read-needs.ts';
import { loadTarget } from '../../lake/tables/target.ts';
import type { Session } from '../../ports.ts';
import { selectAll } from '../../sql/scans.ts';
import { renderPartitions } from '../../sql/touched.ts';
import { createHashMacros } from '../../sql/transform.ts';
import { userTerm } from '../../sql/user-sql.ts';
import { withNulls } from '../../sql/write.ts';
import { mapGold } from './ladder/map-gold.ts';

/** Computes a gold model from the tables as this run sees them and writes its data files. */
export async function stageGold(context: UnitContext, model: GoldModel, deps: StepDeps): Promise<UnitResult> {
  const { planned, unit } = context;
  if (planned.ladder !== undefined) return mapGold(context, model, planned.ladder, deps);
  const whole = userTerm(model.sql);
  const by = { fields: model.partitionBy, columns: model.columns };
  const from = unit.partitions === null ? whole : renderPartitions(whole, by, unit.partitions);
  const needs = (): Promise<ReadNeeds> =>
    findNeeds(deps, selectAll(from), async (session) => {
      await bindReads(session, context.plan.spec, model, planned.reads_also ?? {});
      await createMacros(session, model);
    });
  const parted = await compute(context, model, { from, needs }, deps);
  if (!('missing' in parted)) return parted;
  // What the engine planned over empty tables is not what it did: then it gets all that there is.
  deps.log.warn('inputs are brought whole', { model: model.id, unit: unit.unit, reason: parted.missing.message });
  const again = await compute(context, model, { from, needs: async () => NEEDS_ALL }, deps);
  if ('missing' in again) throw again.missing;
  return again;
}

type Computed = { readonly from: Sql; readonly needs: () => Promise<ReadNeeds> };

/** `missing`: the engine could not read files of which only parts were there. */
async function compute(
  context: UnitContext,
  model: GoldModel,
  { from, needs }: Computed,
  deps: StepDeps,
): Promise<UnitResult | { readonly missing: EngineError }> {
  const { plan, planned, unit } = context;
  const target = await loadTarget(deps.store, plan, planned.shape);
  await using session = await deps.engine.open(deps.settings);
  const reading = { refs: model.reads, logs: model.readsLogs, also: planned.reads_also, needs };
  await using tables = await openTables(deps.store, session, plan, reading);
  await createMacros(session, model);
  await using scratch = await openScratch(deps, unit.unit);
  const staging = {
    from: withNulls(from, planned.shape.kept ?? []),
    target,
    folder: join(scratch.folder, 'out'),
    fileBytes: plan.spec.settings.fileBytes,
    stem: `${plan.run.run_id}-${unit.unit}`,
  };
  try {
    const { rows, placed } = await stageFiles(session, staging, deps);
    const counts = { ...NO_ROWS, accepted: rows };
    return { ...emptyResult(unit.unit, model.id), counts, written: placed, inputs: tables.bytes, reads: tables.reads };
  } catch (cause) {
    if (!tables.parts || !isUnread(cause)) throw cause;
    return { missing: cause };
  }
}

async function createMacros(session: Session, model: GoldModel): Promise<void> {
  if (model.partitionBy.some((f) => f.transform.kind === 'bucket')) await session.run(createHashMacros());
}
