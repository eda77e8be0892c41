import { join } from 'node:path';
import type { KeyRanges } from '../../core/key-ranges.ts';
import type { KeyedModel } from '../../core/keyed.ts';
import type { MergeUnit } from '../../core/merge-unit.ts';
import type { ModelPlan, RunPlan } from '../../core/run.ts';
import { fullName } from '../../core/tables.ts';
import type { DataFile } from '../../iceberg/types.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { openScratch } from '../../lake/files/scratch.ts';
import { openOps } from '../../lake/ops/open-ops.ts';
import { runFolder } from '../../lake/run/run-folder.ts';
import { leftBy, type UnitResult, withoutLeft } from '../../lake/run/unit-result.ts';
import { openFiles, pathOf } from '../../lake/tables/foreign-files.ts';
import { loadQuarantine, loadRows, scanColumns } from '../../lake/tables/table-state.ts';
import { type BucketLoad, packShares } from '../../plan/merge-units.ts';
import { unitSettings } from '../../plan/stage-units.ts';
import { writeExtracts } from '../../sql/extracts.ts';
import { selectHeldAgainst } from '../../sql/quarantine-table.ts';
import { BUCKET, renderParquet, renderParquetByName, renderScan } from '../../sql/scan.ts';
import { planFiles } from '../../table/read.ts';
import { planRanges } from './cut-ranges.ts';

/**
 * One share per touched key bucket, small ones joined to a unit, a large one cut by a second hash of the key. All
 * buckets are touched by a rebuild, by a withdrawal and by a full extract, whose missing keys may be anywhere.
 */
export async function planKeyedMerge(
  deps: StepDeps,
  asPlanned: RunPlan,
  level: number,
  planned: ModelPlan,
  model: KeyedModel,
  results: readonly UnitResult[],
): Promise<readonly MergeUnit[]> {
  const plan = withoutLeft(asPlanned, leftBy(planned, results));
  const { loads, ...ranged } = await loadsOf(deps, { plan, planned, model }, results);
  const extracts =
    model.mode.missing === 'delete' && loads.length > 0
      ? await placeExtracts(deps, plan, level, planned, model, results)
      : null;
  const asLog = ranged.ranges === undefined && areAsTheLog(results);
  return packShares(loads, unitSettings(plan), asLog).map((shares, i) => ({
    unit: `merge-${model.id}-${String(i).padStart(5, '0')}`,
    model: model.id,
    kind: 'keyed',
    shares,
    extracts,
    ...ranged,
  }));
}

type Loads = { readonly loads: readonly BucketLoad[]; readonly ranges?: KeyRanges };

/** What is touched, and what has to be read of it. */
async function loadsOf(
  deps: StepDeps,
  context: { readonly plan: RunPlan; readonly planned: ModelPlan; readonly model: KeyedModel },
  results: readonly UnitResult[],
): Promise<Loads> {
  const { plan, planned, model } = context;
  const exchanged = results.flatMap((r) => r.exchanged);
  const extract = model.mode.missing === 'delete' && exchanged.some(({ written }) => written.rows > 0);
  const { grown_from: before = planned.buckets } = planned;
  const everywhere = planned.rebuild || before < planned.buckets || plan.withdraw.length > 0 || extract;
  if (planned.ranges !== undefined) return planRanges(deps, context, exchanged, everywhere);
  const files = await existingFiles(deps, plan, planned);
  const staged = new Map<number, { keys: string[]; bytes: number }>();
  for (const { key, written } of exchanged) {
    const bucket = Number(written.partition[0]?.value);
    const of = staged.get(bucket) ?? { keys: [], bytes: 0 };
    staged.set(bucket, { keys: [...of.keys, key], bytes: of.bytes + written.bytes });
  }
  const buckets = everywhere ? [...Array(planned.buckets).keys()] : [...staged.keys()].sort((a, b) => a - b);
  const loads = buckets.map((bucket) => {
    const events = staged.get(bucket);
    const there = ((files.bytes.get(bucket % before) ?? 0) * before) / planned.buckets;
    return { bucket, events: events?.keys ?? [], bytes: (events?.bytes ?? 0) + there };
  });
  return { loads };
}

/** Units that an earlier release staged wrote their events in another form, with the bucket in each of them; some of a run may have. */
function areAsTheLog(results: readonly UnitResult[]): boolean {
  const staged = results.flatMap((r) => r.exchanged);
  return !staged.some(({ written }) => written.partition.some(({ column }) => column === String(BUCKET)));
}

/** Bytes of history and log by bucket. */
async function existingFiles(
  deps: StepDeps,
  plan: RunPlan,
  planned: ModelPlan,
): Promise<{ readonly bytes: ReadonlyMap<number, number> }> {
  const bytes = new Map<number, number>();
  for (const shape of [planned.shape, planned.log]) {
    const metadata = shape === null ? undefined : await loadRows(deps.store, plan, shape.id);
    const files = metadata === undefined ? [] : await planFiles(deps.store, metadata);
    for (const file of files) {
      const bucket = bucketOf(file);
      bytes.set(bucket, (bytes.get(bucket) ?? 0) + Number(file.bytes));
    }
  }
  return { bytes };
}

export function bucketOf(file: DataFile): number {
  return Number(file.partition[0]);
}

/** The extracts of the whole table, once for all units; its key in the run folder. */
async function placeExtracts(
  deps: StepDeps,
  plan: RunPlan,
  level: number,
  planned: ModelPlan,
  model: KeyedModel,
  results: readonly UnitResult[],
): Promise<string> {
  const key = `${runFolder.exchange(plan.run, level, 'extracts')}/${model.id}.parquet`;
  if ((await deps.store.head(key)) !== undefined) return key;
  if (planned.log === null) throw new RangeError(`${model.id} has no log`);
  const metadata = await loadRows(deps.store, plan, planned.log.id);
  const logged = metadata === undefined ? [] : await planFiles(deps.store, metadata);
  const stagedKeys = results.flatMap((r) => r.exchanged.map((p) => p.key));
  const rejectedKeys = results.flatMap((r) => r.quarantine.map((p) => p.key));
  const quarantined = await loadQuarantine(deps.store, plan);
  await using borrowed = await deps.store.borrow([...stagedKeys, ...rejectedKeys]);
  await using session = await deps.engine.open(deps.settings);
  const columns = scanColumns(metadata, planned.log.columns);
  await using opened = await openFiles(session, deps.store, metadata, logged);
  const log = renderScan(columns, opened.files);
  const paths = stagedKeys.map((k) => pathOf(borrowed, k));
  const staged = paths.length === 0 ? renderScan(columns, []) : renderParquetByName(paths);
  await using quarantine =
    quarantined === undefined ? undefined : await openOps(deps.store, session, 'quarantine', quarantined);
  const staging = rejectedKeys.map((k) => pathOf(borrowed, k));
  const rejected = [
    ...(quarantine === undefined
      ? []
      : [selectHeldAgainst(quarantine.relation, fullName(planned.shape.table), plan.withdraw)]),
    ...(staging.length === 0 ? [] : [renderParquet(staging)]),
  ];
  await using scratch = await openScratch(deps, 'extracts');
  const path = join(scratch.folder, 'extracts.parquet');
  await session.copy(writeExtracts(model.mode, { log, staged, rejected }, plan.withdraw, path));
  await deps.store.publish(path, key);
  return key;
}
