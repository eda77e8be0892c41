import { join } from 'node:path';
import type { KeyedModel } from '../../core/keyed.ts';
import { addCounts, NO_ROWS, type RowCounts } from '../../core/row-counts.ts';
import type { KeyShare, MergeUnit, TableShape } from '../../core/run.ts';
import type { Sql, SqlName } from '../../core/sql-text.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { openScratch } from '../../lake/files/scratch.ts';
import { stageFiles } from '../../lake/files/stage-files.ts';
import { keepOrRelease } from '../../lake/resources.ts';
import type { UnitContext } from '../../lake/run/unit-context.ts';
import { emptyResult, type Placed, type UnitResult } from '../../lake/run/unit-result.ts';
import { openFiles, pathOf } from '../../lake/tables/foreign-files.ts';
import { followsRules } from '../../lake/tables/keyed-rules.ts';
import { loadRows, scanColumns } from '../../lake/tables/table-state.ts';
import { loadTarget } from '../../lake/tables/target.ts';
import type { Borrowed, Session } from '../../ports.ts';
import {
  addMissingDeletes,
  countFresh,
  createFresh,
  createKeyEvents,
  createKnown,
  createLate,
  createRecomputed,
  createTouched,
  HISTORY,
  LOG,
  listBuckets,
  NEW,
  renderHistory,
  renderLog,
  renderPart,
  renderTouched,
} from '../../sql/keyed.ts';
import { createStoredHistory } from '../../sql/positions.ts';
import { BUCKET, createRelation, renderBucketed, renderBucketRows, renderParquet, renderScan } from '../../sql/scan.ts';
import { createHashMacros } from '../../sql/transform.ts';
import { planFiles } from '../../table/read.ts';
import { checkInvariants } from './check-invariants.ts';
import { openStored, writeOnRead } from './merge-on-read.ts';
import { bucketOf } from './plan-keyed-merge.ts';

type KeyedUnit = Extract<MergeUnit, { kind: 'keyed' }>;
type KeyedContext = Pick<UnitContext, 'plan' | 'planned' | 'level'> & {
  readonly unit: KeyedUnit;
  readonly model: KeyedModel;
  readonly log: TableShape;
};

/** Recomputes the touched keys of some buckets from their events and writes those buckets anew. */
export async function mergeKeyed(
  context: Pick<UnitContext, 'plan' | 'planned' | 'level'>,
  unit: KeyedUnit,
  model: KeyedModel,
  deps: StepDeps,
): Promise<UnitResult> {
  const { log } = context.planned;
  if (log === null) throw new RangeError(`${model.id} has no log`);
  let result = emptyResult(unit.unit, model.id);
  for (const share of unit.shares) {
    const merged = await mergeShare({ ...context, unit, model, log }, share, deps);
    result = {
      ...result,
      counts: addCounts(result.counts, merged.counts),
      written: [...result.written, ...merged.written],
      logged: [...result.logged, ...merged.logged],
      rewritten: [...result.rewritten, ...merged.rewritten],
      relogged: [...result.relogged, ...merged.relogged],
      deletes: [...(result.deletes ?? []), ...(merged.deletes ?? [])],
    };
  }
  return result;
}

type Merged = Pick<UnitResult, 'counts' | 'written' | 'logged' | 'rewritten' | 'relogged' | 'deletes'>;

async function mergeShare(context: KeyedContext, share: KeyShare, deps: StepDeps): Promise<Merged> {
  await using session = await deps.engine.open(deps.settings);
  await session.run(createHashMacros());
  await using _events = await openEvents(session, context, share, deps);
  await using _log = await openBuckets(session, context, share, context.log, LOG, deps);
  const fresh = await findFresh(session, context, share, deps);
  if (fresh.buckets.length === 0) return { ...UNCHANGED, counts: fresh.counts };
  const rewritten = { ...share, buckets: fresh.buckets };
  await using stored = await openStored(session, context, rewritten, deps);
  await using scratch = await openScratch(deps, context.unit.unit);
  const out = { folder: scratch.folder, onRead: stored !== undefined };
  if (out.onRead) return await recompute(session, context, share, fresh, out, deps);
  await using _history = await openBuckets(session, context, rewritten, context.planned.shape, HISTORY, deps);
  return await recompute(session, context, share, fresh, out, deps);
}

async function openEvents(session: Session, context: KeyedContext, share: KeyShare, deps: StepDeps): Promise<Borrowed> {
  const borrowed = await deps.store.borrow(share.events);
  const paths = share.events.map((key) => pathOf(borrowed, key));
  const columns = scanColumns(undefined, context.log.columns);
  const relation = paths.length === 0 ? renderBucketed(columns, []) : renderParquet(paths);
  const events = renderPart(context.model.mode, relation, share.part, share.parts);
  return keepOrRelease(borrowed, () => session.run(createRelation(NEW, events)));
}

/** Some buckets' rows of one table. When a rebuild changes the number of buckets, they may lie in any file. */
async function openBuckets(
  session: Session,
  context: KeyedContext,
  share: KeyShare,
  shape: TableShape,
  name: SqlName,
  deps: StepDeps,
): Promise<Borrowed> {
  const metadata = await loadRows(deps.store, context.plan, shape.id);
  const all = metadata === undefined ? [] : await planFiles(deps.store, metadata);
  const moved = context.planned.rebuild;
  const wanted = new Set(share.buckets);
  const files = moved ? all : all.filter((file) => wanted.has(bucketOf(file)));
  const bucketsOfFiles = files.map(bucketOf);
  const [bucket] = shape.partitionBy;
  if (bucket === undefined) throw new RangeError(`${shape.id} has no key bucket`);
  const borrowed = await openFiles(session, deps.store, metadata, files);
  const columns = scanColumns(metadata, shape.columns);
  const rows = moved
    ? renderBucketRows(renderScan(columns, borrowed.files), bucket, shape.columns, share.buckets)
    : renderBucketed(
        columns,
        borrowed.files.map((file, i) => ({ file, bucket: bucketsOfFiles[i] ?? 0 })),
      );
  const part = renderPart(context.model.mode, rows, share.part, share.parts);
  return keepOrRelease(borrowed, () => session.run(createRelation(name, part)));
}

type Fresh = {
  readonly counts: RowCounts;
  /** The buckets that have to be written anew. */
  readonly buckets: readonly number[];
  /** Whether their logs are written anew too, rather than added to. */
  readonly relog: boolean;
};

/** Sets the staged events against the log: which are new, and which buckets that touches. */
async function findFresh(session: Session, context: KeyedContext, share: KeyShare, deps: StepDeps): Promise<Fresh> {
  const { model, plan, planned } = context;
  const { withdraw } = plan;
  const all = touchesAll(context);
  const history = await loadRows(deps.store, plan, model.id);
  await session.run(createLate(model.mode, followsRules(model.mode, history)));
  await session.run(createKnown(model.mode, { all, withdrawn: withdraw }));
  await session.run(createFresh(withdraw));
  const counted = (await session.rows(countFresh(withdraw)))[0];
  const [staged = 0, fresh = 0, withdrawn = 0] = ['staged', 'fresh', 'withdrawn'].map((name) =>
    Number(counted?.[name]),
  );
  const counts = { ...NO_ROWS, accepted: fresh, duplicates: staged - fresh };
  // Parts of one bucket replace it together, so all of them rewrite as soon as one might.
  const relog = planned.rebuild || withdrawn > 0 || (share.parts > 1 && withdraw.length > 0);
  if (all || relog || share.parts > 1) return { counts, buckets: share.buckets, relog };
  const touched = await session.rows(listBuckets());
  return { counts, buckets: touched.map((row) => Number(row['bucket'])), relog };
}

/** A rebuild recomputes every key, and a full extract may delete any. */
function touchesAll({ model, planned }: KeyedContext): boolean {
  return planned.rebuild || model.mode.missing === 'delete';
}

async function recompute(
  session: Session,
  context: KeyedContext,
  share: KeyShare,
  { counts, buckets, relog }: Fresh,
  { folder, onRead }: { readonly folder: string; readonly onRead: boolean },
  deps: StepDeps,
): Promise<Merged> {
  const { model, plan, planned } = context;
  const { mode } = model;
  const { withdraw } = plan;
  const scope = { all: touchesAll(context), withdrawn: withdraw };
  await session.run(createTouched(mode, scope));
  if (onRead) await session.run(createStoredHistory(mode));
  await session.run(createKeyEvents(mode, planned.columns, scope));
  if (context.unit.extracts !== null) await addExtracts(session, context, context.unit.extracts, deps);
  await session.run(createRecomputed(mode, planned.columns));
  const history = onRead
    ? { ...(await writeOnRead(session, context, folder, deps)), rewritten: [] }
    : { written: await writeHistory(session, context, join(folder, 'history'), deps), rewritten: buckets };
  const log = renderLog(context.log.columns, relog, withdraw);
  const logged = await writeBuckets(session, context, context.log, log, join(folder, 'log'), deps);
  return { ...history, counts, logged, relogged: relog ? share.buckets : [] };
}

const UNCHANGED: Merged = { counts: NO_ROWS, written: [], logged: [], rewritten: [], relogged: [] };

async function addExtracts(session: Session, context: KeyedContext, key: string, deps: StepDeps): Promise<void> {
  await using borrowed = await deps.store.borrow([key]);
  const extracts = renderParquet([pathOf(borrowed, key)]);
  await session.run(addMissingDeletes(context.model.mode, context.planned.columns, extracts));
}

/** Writes the buckets anew, with the rows that are as they were. */
async function writeHistory(
  session: Session,
  context: KeyedContext,
  folder: string,
  deps: StepDeps,
): Promise<readonly Placed[]> {
  const { shape } = context.planned;
  return writeBuckets(session, context, shape, renderHistory(context.model.mode, shape.columns), folder, deps);
}

/** Writes a relation as files of its key buckets; what is written to the history is checked as it lies in the files. */
async function writeBuckets(
  session: Session,
  context: KeyedContext,
  shape: TableShape,
  from: Sql,
  folder: string,
  deps: StepDeps,
): Promise<readonly Placed[]> {
  const target = await loadTarget(deps.store, context.plan, shape);
  const { fileBytes } = context.plan.spec.settings;
  const stem = `${context.plan.run.run_id}-${context.unit.unit}`;
  const history = shape.id === context.model.id;
  const check = history ? (paths: readonly string[]) => checkWritten(session, context, paths) : undefined;
  const staging = { from, target, partitionColumns: [BUCKET], folder, fileBytes, stem, ...(check && { check }) };
  return (await stageFiles(session, staging, deps)).placed;
}

async function checkWritten(session: Session, context: KeyedContext, paths: readonly string[]): Promise<void> {
  if (paths.length === 0) return;
  await checkInvariants(session, context, renderTouched(context.model.mode, renderParquet(paths)));
}
