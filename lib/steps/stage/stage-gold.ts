import { join } from 'node:path';
import { NO_ROWS } from '../../core/run.ts';
import type { GoldModel } from '../../core/spec.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { placeDataFiles, withScratch } from '../../lake/files/place-files.ts';
import type { UnitContext } from '../../lake/run/unit-context.ts';
import { emptyResult, type UnitResult } from '../../lake/run/unit-result.ts';
import { fieldIdsOf, openTables } from '../../lake/tables/table-state.ts';
import { loadTarget } from '../../lake/tables/target.ts';
import { renderPartitions } from '../../sql/touched.ts';
import { createHashMacros } from '../../sql/transform.ts';
import { userTerm } from '../../sql/user-sql.ts';
import { withNulls, writeTable } from '../../sql/write.ts';

/** Computes a gold model from the tables as this run sees them and writes its data files. */
export async function stageGold(context: UnitContext, model: GoldModel, deps: StepDeps): Promise<UnitResult> {
  const { plan, planned, unit } = context;
  const target = await loadTarget(deps.store, plan, planned.shape);
  const whole = userTerm(model.sql);
  const by = { fields: model.partitionBy, columns: model.columns };
  const from = unit.partitions === null ? whole : renderPartitions(whole, by, unit.partitions);
  const session = await deps.engine.open(deps.settings);
  const borrowed = await openTables(deps.store, session, plan, model.reads, model.readsLogs);
  try {
    if (model.partitionBy.some((f) => f.transform.kind === 'bucket')) await session.run(createHashMacros());
    return await withScratch(deps, unit.unit, async (scratch) => {
      const files = await session.copy(
        writeTable({
          name: model.id,
          from: withNulls(from, planned.shape.kept ?? []),
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
      const rows = files.reduce((sum, file) => sum + file.rows, 0);
      return { ...emptyResult(unit.unit, model.id), counts: { ...NO_ROWS, accepted: rows }, written };
    });
  } finally {
    await session.close();
    await borrowed.release();
  }
}
