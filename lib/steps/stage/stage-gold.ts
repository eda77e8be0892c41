import { join } from 'node:path';
import { NO_ROWS } from '../../core/row-counts.ts';
import type { GoldModel } from '../../core/spec.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { openScratch } from '../../lake/files/scratch.ts';
import { stageFiles } from '../../lake/files/stage-files.ts';
import type { UnitContext } from '../../lake/run/unit-context.ts';
import { emptyResult, type UnitResult } from '../../lake/run/unit-result.ts';
import { openTables } from '../../lake/tables/table-state.ts';
import { loadTarget } from '../../lake/tables/target.ts';
import { renderPartitions } from '../../sql/touched.ts';
import { createHashMacros } from '../../sql/transform.ts';
import { userTerm } from '../../sql/user-sql.ts';
import { withNulls } from '../../sql/write.ts';

/** Computes a gold model from the tables as this run sees them and writes its data files. */
export async function stageGold(context: UnitContext, model: GoldModel, deps: StepDeps): Promise<UnitResult> {
  const { plan, planned, unit } = context;
  const target = await loadTarget(deps.store, plan, planned.shape);
  const whole = userTerm(model.sql);
  const by = { fields: model.partitionBy, columns: model.columns };
  const from = unit.partitions === null ? whole : renderPartitions(whole, by, unit.partitions);
  await using session = await deps.engine.open(deps.settings);
  await using _tables = await openTables(deps.store, session, plan, model.reads, model.readsLogs, planned.reads_also);
  if (model.partitionBy.some((f) => f.transform.kind === 'bucket')) await session.run(createHashMacros());
  await using scratch = await openScratch(deps, unit.unit);
  const staging = {
    from: withNulls(from, planned.shape.kept ?? []),
    target,
    folder: join(scratch.folder, 'out'),
    fileBytes: plan.spec.settings.fileBytes,
    stem: `${plan.run.run_id}-${unit.unit}`,
  };
  const { rows, placed } = await stageFiles(session, staging, deps);
  return { ...emptyResult(unit.unit, model.id), counts: { ...NO_ROWS, accepted: rows }, written: placed };
}
