import { join } from 'node:path';
import { type KeyedModel, mergesOnRead } from '../../core/keyed.ts';
import type { KeyShare } from '../../core/merge-unit.ts';
import type { ModelPlan, RunPlan } from '../../core/run.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { stageDeletes } from '../../lake/files/stage-deletes.ts';
import { stageFiles } from '../../lake/files/stage-files.ts';
import { keepOrRelease } from '../../lake/resources.ts';
import type { UnitResult } from '../../lake/run/unit-result.ts';
import { openFiles } from '../../lake/tables/foreign-files.ts';
import { isAnew, loadRows, scanColumns } from '../../lake/tables/table-state.ts';
import { loadTarget } from '../../lake/tables/target.ts';
import type { Borrowed, Session } from '../../ports.ts';
import { renderPart } from '../../sql/keyed.ts';
import { createGone, renderAdded, renderAfter, renderStored, STORED, type StoredFile } from '../../sql/positions.ts';
import { BUCKET, createRelation, renderParquet } from '../../sql/scan.ts';
import { planFiles } from '../../table/read.ts';
import { checkInvariants } from './check-invariants.ts';
import { bucketOf } from './plan-keyed-merge.ts';

type Context = {
  readonly plan: RunPlan;
  readonly planned: ModelPlan;
  readonly model: KeyedModel;
  readonly unit: { readonly unit: string };
};

/**
 * The rows of some buckets, each with its place, where the merge is to leave their files as they are. Undefined where these are
 * written anew: by a mode that asks for it, where all rows are made anew anyway, where keys lie in ranges until the table is rebuilt, and
 * where other engines wrote files, which may go by other names there.
 */
export async function openStored(
  session: Session,
  { plan, planned, model }: Context,
  share: KeyShare,
  deps: StepDeps,
): Promise<Borrowed | undefined> {
  const anew = planned.rebuild || planned.grown_from !== undefined || isAnew(plan, model.id);
  if (!mergesOnRead(model) || anew || planned.ranges !== undefined) return undefined;
  const metadata = await loadRows(deps.store, plan, model.id);
  const all = metadata === undefined ? [] : await planFiles(deps.store, metadata);
  const files = all.filter((file) => share.buckets.includes(bucketOf(file)));
  if (files.some(({ foreign }) => foreign)) return undefined;
  const borrowed = await openFiles(session, deps.store, metadata, files);
  const stored = borrowed.files.flatMap((file, at): readonly StoredFile[] => {
    const own = files[at];
    if (own === undefined || (typeof file !== 'string' && 'values' in file)) return [];
    return [{ file, bucket: bucketOf(own), location: own.path }];
  });
  const rows = renderStored(scanColumns(metadata, planned.shape.columns), stored);
  const part = renderPart(model.mode, rows, share.part, share.parts);
  return keepOrRelease(borrowed, () => session.run(createRelation(STORED, part)));
}

/** Writes the recomputed rows that are new, and where those lie that are no more. */
export async function writeOnRead(
  session: Session,
  context: Context,
  scratch: string,
  deps: StepDeps,
): Promise<Pick<UnitResult, 'written' | 'deletes'>> {
  const { plan, planned, model, unit } = context;
  const { columns } = planned.shape;
  for (const statement of createGone(model.mode, columns)) await session.run(statement);
  const target = await loadTarget(deps.store, plan, planned.shape);
  const stem = `${plan.run.run_id}-${unit.unit}`;
  const check = async (paths: readonly string[]): Promise<void> => {
    if (paths.length > 0) await checkInvariants(session, context, renderAfter(model.mode, renderParquet(paths)));
  };
  const staging = {
    from: renderAdded(model.mode, columns),
    target,
    partitionColumns: [BUCKET],
    folder: join(scratch, 'added'),
    fileBytes: plan.spec.settings.fileBytes,
    stem,
    check,
  };
  const { placed } = await stageFiles(session, staging, deps);
  const deletes = await stageDeletes(session, { target, folder: join(scratch, 'deletes'), stem }, deps);
  return { written: placed, deletes };
}
