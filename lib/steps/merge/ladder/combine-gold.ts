import { join } from 'node:path';
import { NO_INPUTS } from '../../../core/input-bytes.ts';
import type { Ladder } from '../../../core/ladder.ts';
import type { MergeUnit } from '../../../core/merge-unit.ts';
import { NO_ROWS } from '../../../core/row-counts.ts';
import type { GoldModel } from '../../../core/spec.ts';
import type { Sql } from '../../../core/sql-text.ts';
import type { StepDeps } from '../../../lake/deps.ts';
import { openScratch } from '../../../lake/files/scratch.ts';
import { stageFiles } from '../../../lake/files/stage-files.ts';
import { bringBuckets } from '../../../lake/ladder/bring-buckets.ts';
import type { UnitContext } from '../../../lake/run/unit-context.ts';
import { emptyResult, type UnitResult } from '../../../lake/run/unit-result.ts';
import { pathOf } from '../../../lake/tables/foreign-files.ts';
import { loadTarget } from '../../../lake/tables/target.ts';
import type { Session } from '../../../ports.ts';
import { bitsOf, probeDivision } from '../../../sql/ladder/average.ts';
import { createPartials, renderBuckets } from '../../../sql/ladder/buckets.ts';
import { PARTIALS, renderReduce } from '../../../sql/ladder/reduce.ts';
import { createHashMacros } from '../../../sql/transform.ts';
import { withNulls } from '../../../sql/write.ts';

export type CombineUnit = Extract<MergeUnit, { kind: 'combine' }>;

/** Computes the rows of a gold model that come of some buckets, and writes its data files. */
export async function combineGold(
  { plan, planned }: Pick<UnitContext, 'plan' | 'planned'>,
  unit: CombineUnit,
  model: GoldModel,
  deps: StepDeps,
): Promise<UnitResult> {
  const { ladder, shape } = planned;
  if (ladder === undefined) throw new RangeError(`${unit.unit}: ${model.id} is computed by one worker`);
  const target = await loadTarget(deps.store, plan, shape);
  await using session = await deps.engine.open(deps.settings);
  if (model.partitionBy.some((f) => f.transform.kind === 'bucket')) await session.run(createHashMacros());
  await using brought = await bringBuckets(deps.store, unit.files, { span: unit, columns: columnsOf(ladder) });
  const paths = unit.files.map(({ key }) => pathOf(brought, key));
  const from = await reduced(session, ladder, renderBuckets(paths, unit));
  await using scratch = await openScratch(deps, unit.unit);
  const { rows, placed } = await stageFiles(
    session,
    {
      from: withNulls(from, shape.kept ?? []),
      target,
      folder: join(scratch.folder, 'out'),
      fileBytes: plan.spec.settings.fileBytes,
      stem: `${plan.run.run_id}-${unit.unit}`,
    },
    deps,
  );
  const counts = { ...NO_ROWS, accepted: rows };
  return { ...emptyResult(unit.unit, model.id), counts, written: placed, inputs: NO_INPUTS };
}

function columnsOf(ladder: Ladder): number {
  return ladder.rung === 2 ? ladder.columns.length : Math.max(...ladder.tables.map(({ columns }) => columns.length));
}

async function reduced(session: Session, ladder: Ladder, rows: Sql): Promise<Sql> {
  if (ladder.rung === 3) throw new RangeError('not yet');
  const [probed] = await session.rows(probeDivision());
  await session.run(createPartials(PARTIALS, rows));
  return renderReduce(ladder, bitsOf(probed));
}
