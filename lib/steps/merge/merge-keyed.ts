import { join } from 'node:path';
import { eventColumnsOf, type KeyedModel } from '../../core/keyed.ts';
import type { KeyShare } from '../../core/merge-unit.ts';
import { addCounts, NO_ROWS, type RowCounts } from '../../core/row-counts.ts';
import type { TableShape } from '../../core/run.ts';
import type { Sql } from '../../core/sql-text.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { openScratch } from '../../lake/files/scratch.ts';
import { stageFiles, type TableRows } from '../../lake/files/stage-files.ts';
import type { UnitContext } from '../../lake/run/unit-context.ts';
import { emptyResult, type Placed, type UnitResult } from '../../lake/run/unit-result.ts';
import { pathOf } from '../../lake/tables/foreign-files.ts';
import { followsRules } from '../../lake/tables/keyed-rules.ts';
import { loadRows } from '../../lake/tables/table-state.ts';
import { loadTarget } from '../../lake/tables/target.ts';
import { fillsRowGroups } from '../../plan/buckets.ts';
import type { Borrowed, Session } from '../../ports.ts';
import { renderTouched } from '../../sql/breaches.ts';
import { renderFirstHistory, renderFirstLog } from '../../sql/first-load.ts';
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
} from '../../sql/keyed.ts';
import { createStoredHistory } from '../../sql/positions.ts';
import { BUCKET, createRelation, renderParquet } from '../../sql/scan.ts';
import { createHashMacros } from '../../sql/transform.ts';
import type { ScannedFile } from '../../table/read.ts';
import { adoptEvents } from './adopt-events.ts';
import { checkInvariants } from './check-invariants.ts';
import { openFirst } from './first-events.ts';
import {
  type BucketFiles,
  bucketFiles,
  type KeyedContext,
  type KeyedUnit,
  openBuckets,
  relevantLog,
  renderStaged,
  touchesAll,
} from './keyed-share.ts';
import { openStored, writeOnRead } from './merge-on-read.ts';

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
  await using events = await deps.store.borrow(share.events);
  const staged = await renderStaged(context, share, events, deps);
  const log = await bucketFiles(context, share, context.log, deps);
  const history = await bucketFiles(context, share, context.planned.shape, deps);
  await using scratch = await openScratch(deps, context.unit.unit);
  const full = fillsRowGroups(context.planned.bytes ?? 0, bytesOf(history.files));
  const work = { session, context, share, events, full, folder: scratch.folder };
  if (isFirst(context, log, history)) return await mergeFirst(work, staged, { log, history }, deps);
  await session.run(createRelation(NEW, staged));
  await using _log = await openBuckets(
    session,
    context,
    share,
    LOG,
    await logNeeded(session, context, log, history),
    deps,
  );
  const fresh = await findFresh(session, context, share, deps);
  if (fresh.buckets.length === 0) return { ...UNCHANGED, counts: fresh.counts };
  const rewritten = { ...share, buckets: fresh.buckets };
  await using stored = await openStored(session, context, rewritten, deps);
  if (stored !== undefined) return await mergeOnRead(work, fresh, deps);
  const own = await bucketFiles(context, rewritten, context.planned.shape, deps);
  await using _history = await openBuckets(session, context, rewritten, HISTORY, own, deps);
  return await rewrite(work, fresh, deps);
}

/** Nothing is there that events could change. */
function isFirst(context: KeyedContext, log: BucketFiles, history: BucketFiles): boolean {
  const plain = isPlain(context);
  return plain && log.files.length === 0 && history.files.length === 0;
}

function isPlain(context: KeyedContext): boolean {
  return !touchesAll(context) && context.plan.withdraw.length === 0;
}

/** All of the buckets' log, unless the history's open rows stand for what is earlier than the staged events. */
async function logNeeded(
  session: Session,
  context: KeyedContext,
  log: BucketFiles,
  history: BucketFiles,
): Promise<BucketFiles> {
  const { mode } = context.model;
  const goesOn = mode.validTo === null && followsRules(mode, history.metadata);
  return goesOn && isPlain(context) && context.planned.grown_from === undefined
    ? relevantLog(session, context, log)
    : log;
}

/** A share on its way: `folder` is a local one for what is written. */
type ShareWork = {
  readonly session: Session;
  readonly context: KeyedContext;
  readonly share: KeyShare;
  /** The files of the staged events. */
  readonly events: Borrowed;
  /** Whether what is written has full row groups. */
  readonly full: boolean;
  readonly folder: string;
};

/** The first events of some buckets: only keys that have several are merged, the others are rows as they are. */
async function mergeFirst(
  work: ShareWork,
  staged: Sql,
  none: { readonly log: BucketFiles; readonly history: BucketFiles },
  deps: StepDeps,
): Promise<Merged> {
  const { session, context, share } = work;
  const { model, planned } = context;
  const all = await openFirst(session, model.mode, context.log.columns, staged);
  await using _log = await openBuckets(session, context, share, LOG, none.log, deps);
  await using _history = await openBuckets(session, context, share, HISTORY, none.history, deps);
  const { counts } = await findFresh(session, context, share, deps);
  const { duplicates } = counts;
  await computeRows(work, deps);
  const history = renderFirstHistory(model.mode, planned.shape.columns);
  const written = await writeBuckets(work, planned.shape, history, 'history', deps);
  const log = renderFirstLog(model.mode, context.log.columns);
  const logged = await writeLog(work, log, duplicates === 0, deps);
  const accounts = { ...counts, accepted: all - duplicates };
  return { counts: accounts, written, logged, rewritten: share.buckets, relogged: [] };
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
  const { model, plan, planned, unit } = context;
  const { withdraw } = plan;
  const { ranges } = unit;
  const all = touchesAll(context);
  const history = await loadRows(deps.store, plan, model.id);
  await session.run(createLate(model.mode, followsRules(model.mode, history)));
  await session.run(createKnown(model.mode, { all, withdrawn: withdraw }));
  await session.run(createFresh(model.mode, eventColumnsOf(model, context.planned.columns), withdraw));
  const counted = (await session.rows(countFresh(withdraw)))[0];
  const [staged = 0, fresh = 0, withdrawn = 0] = ['staged', 'fresh', 'withdrawn'].map((name) =>
    Number(counted?.[name]),
  );
  const counts = { ...NO_ROWS, accepted: fresh, duplicates: staged - fresh };
  // Parts of one bucket replace it together, so all of them rewrite as soon as one might.
  // The log of ranges has files of any of them, so that it is written anew as a whole.
  const whole = share.parts > 1 || ranges !== undefined;
  const grows = planned.grown_from !== undefined;
  const relog = planned.rebuild || grows || withdrawn > 0 || (whole && withdraw.length > 0);
  if (all || relog || share.parts > 1) return { counts, buckets: share.buckets, relog };
  const touched = new Set((await session.rows(listBuckets())).map((row) => Number(row['bucket'])));
  const cut = new Set(ranges?.cut);
  return { counts, buckets: share.buckets.filter((one) => touched.has(one) || cut.has(one)), relog };
}

/** Makes the touched keys' rows of their events. `openHistory`: done when the keys are known. */
async function computeRows(
  { session, context }: ShareWork,
  deps: StepDeps,
  openHistory?: () => Promise<void>,
): Promise<void> {
  const { model, plan, planned, unit } = context;
  const { mode } = model;
  const scope = { all: touchesAll(context), withdrawn: plan.withdraw };
  await session.run(createTouched(mode, scope));
  await openHistory?.();
  await session.run(createKeyEvents(mode, planned.columns, scope));
  if (unit.extracts !== null) await addExtracts(session, context, unit.extracts, deps);
  await session.run(createRecomputed(mode, planned.columns, eventColumnsOf(model, planned.columns)));
}

/** Writes the buckets anew, with the rows that are as they were. */
async function rewrite(work: ShareWork, fresh: Fresh, deps: StepDeps): Promise<Merged> {
  const { model, planned } = work.context;
  await computeRows(work, deps);
  const history = renderHistory(model.mode, planned.shape.columns);
  const written = await writeBuckets(work, planned.shape, history, 'history', deps);
  return { written, rewritten: fresh.buckets, ...(await writeFresh(work, fresh, deps)) };
}

/** Leaves the buckets' files as they are. */
async function mergeOnRead(work: ShareWork, fresh: Fresh, deps: StepDeps): Promise<Merged> {
  const { session, context, folder } = work;
  await computeRows(work, deps, () => session.run(createStoredHistory(context.model.mode)));
  const history = await writeOnRead(session, context, folder, deps);
  return { ...history, rewritten: [], ...(await writeFresh(work, fresh, deps)) };
}

/** The fresh events, in the log. */
async function writeFresh(
  work: ShareWork,
  { counts, relog }: Fresh,
  deps: StepDeps,
): Promise<Pick<Merged, 'counts' | 'logged' | 'relogged'>> {
  const { context, share } = work;
  const log = renderLog(context.log.columns, relog, context.plan.withdraw);
  const logged = await writeLog(work, log, !relog && counts.duplicates === 0, deps);
  return { counts, logged, relogged: relog ? share.buckets : [] };
}

/** Files of events that are all fresh become the log's; else these are written. */
async function writeLog(work: ShareWork, from: Sql, fresh: boolean, deps: StepDeps): Promise<readonly Placed[]> {
  const { context, share, events, folder } = work;
  const adopted = fresh ? await adoptEvents(context, share, { events, folder }, deps) : undefined;
  return adopted ?? writeBuckets(work, context.log, from, 'log', deps);
}

const UNCHANGED: Merged = { counts: NO_ROWS, written: [], logged: [], rewritten: [], relogged: [] };

async function addExtracts(session: Session, context: KeyedContext, key: string, deps: StepDeps): Promise<void> {
  await using borrowed = await deps.store.borrow([key]);
  const extracts = renderParquet([pathOf(borrowed, key)]);
  await session.run(addMissingDeletes(context.model.mode, context.planned.columns, extracts));
}

/** Writes a relation as files of its key buckets; what is written to the history is checked as it lies in the files. */
async function writeBuckets(
  { session, context, full, folder: within }: ShareWork,
  shape: TableShape,
  from: Sql,
  name: string,
  deps: StepDeps,
): Promise<readonly Placed[]> {
  const target = await loadTarget(deps.store, context.plan, shape);
  const { fileBytes } = context.plan.spec.settings;
  const stem = `${context.plan.run.run_id}-${context.unit.unit}`;
  const history = shape.id === context.model.id;
  const check = history ? (paths: readonly string[]) => checkWritten(session, context, paths) : undefined;
  const folder = join(within, name);
  const staging = { from, target, ...cutBy(context, history), full, folder, fileBytes, stem, ...(check && { check }) };
  return (await stageFiles(session, staging, deps)).placed;
}

function bytesOf(files: readonly ScannedFile[]): number {
  return files.reduce((sum, file) => sum + Number(file.bytes), 0);
}

/** Files of the history have the rows of one range; those of the log may have any. */
function cutBy({ unit }: KeyedContext, history: boolean): Pick<TableRows, 'partitionColumns' | 'fileOf'> {
  if (unit.ranges === undefined) return { partitionColumns: [BUCKET] };
  return history ? { fileOf: BUCKET } : {};
}

async function checkWritten(session: Session, context: KeyedContext, paths: readonly string[]): Promise<void> {
  if (paths.length === 0) return;
  await checkInvariants(session, context, renderTouched(context.model.mode, renderParquet(paths)));
}
