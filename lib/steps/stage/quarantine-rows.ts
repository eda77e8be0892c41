import { join } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import { opsTable } from '../../core/ops.ts';
import { fullName } from '../../core/tables.ts';
import { fillPoisoned, fillQuarantine, type Rejections } from '../../lake/batch/fill-quarantine.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { stageFiles } from '../../lake/files/stage-files.ts';
import { opsTarget } from '../../lake/ops/ops-tables.ts';
import type { Placed } from '../../lake/run/unit-result.ts';
import { loadQuarantine } from '../../lake/tables/table-state.ts';
import { QUARANTINE } from '../../sql/batch-tables.ts';
import { countQuarantine } from '../../sql/quarantine.ts';
import type { BatchWork } from './batch-work.ts';

export type Quarantined = {
  readonly quarantined: number;
  readonly condemned: number;
  readonly files: readonly Placed[];
};

/**
 * Writes the rows that did not make it as files of the quarantine table. Where their text was not kept, only now are the
 * files read a second time. `missing`: how many rows there are. Throws EngineError when the engine does not find exactly
 * the records that went missing, which means that it reads other records than the files have.
 */
export async function quarantineRows(
  { session, context, batch, recipe }: BatchWork,
  { missing, kept, rejected }: Rejections & { readonly missing: number },
  deps: StepDeps,
): Promise<Quarantined> {
  const needed = batch.trial ? batch.files.length > 0 : missing > 0;
  if (!needed) return { quarantined: 0, condemned: 0, files: [] };
  const { plan, unit } = context;
  const { name } = batch.source;
  const table = fullName(context.planned.shape.table);
  if (recipe.poisoned) await fillPoisoned(session, batch);
  await fillQuarantine(
    session,
    batch,
    { ...recipe, kept, rejected, missing },
    { source: name, table, runId: plan.run.run_id, at: plan.created_at },
  );
  const counted = (await session.rows(countQuarantine()))[0];
  const found = Number(counted?.['rows']);
  const condemned = Number(counted?.['condemned']);
  if (found !== missing && !batch.trial) {
    throw new EngineError(
      `${unit.unit}: ${missing} rows of source ${batch.source.name} are unaccounted for, and ${found} rows fail a check`,
    );
  }
  const metadata = await loadQuarantine(deps.store, plan);
  const target = opsTarget(deps, 'quarantine', opsTable(plan.run.pipeline, 'quarantine'), metadata && { metadata });
  const folder = join(batch.scratch, 'quarantine');
  const { fileBytes } = plan.spec.settings;
  const stem = `${plan.run.run_id}-${unit.unit}`;
  const { placed } = await stageFiles(session, { from: QUARANTINE, target, folder, fileBytes, stem }, deps);
  return { quarantined: found - condemned, condemned, files: placed };
}
