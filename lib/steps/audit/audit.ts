import { AuditFailed } from '../../core/errors.ts';
import { isKeyed } from '../../core/keyed.ts';
import { accountsClose, NO_ROWS } from '../../core/row-counts.ts';
import type { ModelPlan, RunPlan, RunState, TableShape } from '../../core/run.ts';
import type { ModelSpec } from '../../core/spec.ts';
import { fullName } from '../../core/tables.ts';
import { currentSchema } from '../../iceberg/schema.ts';
import { RUN_ID } from '../../iceberg/snapshot.ts';
import type { DataFile } from '../../iceberg/types.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { modelFacts } from '../../lake/facts/model-facts.ts';
import { toldOf } from '../../lake/facts/told.ts';
import { dataFilesOf, deleteFilesOf } from '../../lake/files/data-files.ts';
import { RECORDING, startMeasuring } from '../../lake/run/measure.ts';
import { ofPipeline } from '../../lake/run/personal-errors.ts';
import { readLevelPlan, readPlan, runFolder, writeOnce } from '../../lake/run/run-folder.ts';
import type { LevelAudit, ModelAudit, TableAudit } from '../../lake/run/run-records.ts';
import type { Placed } from '../../lake/run/unit-result.ts';
import { type ModelOutcome, readOutcome } from '../../lake/run/unit-result.ts';
import { describeGold } from '../../lake/tables/gold-inputs.ts';
import { followsRules, rulesAfter } from '../../lake/tables/keyed-rules.ts';
import { findModel, isAnew, loadBase, loadStates, locationNow } from '../../lake/tables/table-state.ts';
import { planTarget, type Target } from '../../lake/tables/target.ts';
import { type Prepared, prepareSnapshot, renderPrepared } from '../../table/prepare.ts';
import type { Removal } from '../../table/removal.ts';
import { checkPrepared } from './check-prepared.ts';
import { checkRows } from './expectations.ts';
import { keysHeld } from './held.ts';
import { checkLostFiles } from './lost-files.ts';
import { removalOf } from './removal-of.ts';
import { type RemovedRanges, removedRanges } from './removed-ranges.ts';
import { checkAsItIs, checkKeptRows } from './unchecked.ts';
import { auditWindow, type WindowedTable } from './window.ts';

/**
 * Checks what a level staged against its accounts and expectations and prepares one snapshot per table. Nothing is
 * published here: the tables of all levels are, together, when every level has passed.
 * Throws AuditFailed for accounts that do not close and for an expectation with policy `fail`.
 */
export async function runAudit(state: RunState, deps: StepDeps): Promise<RunState> {
  const { run, level } = state;
  const { stage: _stage, merge, left: _left, ...rest } = state;
  const next: RunState = { ...rest, level: level + 1 };
  if ((await deps.store.head(runFolder.audit(run, level))) !== undefined) return next;
  const measure = startMeasuring(deps);
  const plan = await readPlan(deps.store, run);
  const models: ModelAudit[] = [];
  const { models: all, level: _level, ...plan_stage } = await readLevelPlan(deps.store, run, level);
  for (const planned of all) {
    models.push(await auditModel(ofPipeline(deps, plan.spec), plan, level, planned));
  }
  const audit: LevelAudit = { level, models, plan_stage, ...planMergeOf(merge), ...measure(RECORDING) };
  await writeOnce(deps.store, runFolder.audit(run, level), audit);
  return next;
}

function planMergeOf(merge: RunState['merge']): Pick<LevelAudit, 'plan_merge'> {
  if (merge?.ms === undefined) return {};
  const { units_key: _key, count: _count, ms, ...measured } = merge;
  return { plan_merge: { ms, ...measured } };
}

async function auditModel(deps: StepDeps, plan: RunPlan, level: number, planned: ModelPlan): Promise<ModelAudit> {
  const model = findModel(plan.spec, planned.model);
  if (planned.check) return auditAsItIs(deps, plan, model, planned);
  const outcome = await readOutcome(deps, plan.run, level, planned);
  if (model.layer === 'silver') checkAccounts(model, outcome, planned, plan.window !== undefined);
  checkLostFiles(plan, model, outcome.files);
  const summary = await summaryOf(deps, plan, model, planned);
  const parts = partsOf(plan, planned, model, outcome, await removedRanges(deps, plan, planned, outcome));
  const prepared = new Map<string, Prepared>();
  const windowed = new Map<string, WindowedTable>();
  for (const part of parts) {
    const some = await auditWindow(deps, plan, part.shape, part.files);
    if (some !== undefined) windowed.set(part.shape.id, some);
    const partial: Part =
      some === undefined ? part : { ...part, remove: () => ({ kind: 'files', files: some.removed }) };
    prepared.set(part.shape.id, await prepareTable(deps, plan, partial, summary));
  }
  const own = prepared.get(model.id);
  const checked = own === undefined ? undefined : await checkPrepared(deps, plan, model, own);
  if (checked !== undefined) prepared.set(model.id, checked.prepared);
  const warnings = [
    ...(await checkRules(deps, plan, model, planned)),
    ...checkRows(model, outcome.broken),
    ...(checked?.warnings ?? []),
    ...(own === undefined || isStaged(plan, model, own) ? [] : await checkKeptRows(deps, plan, model, own.metadata)),
  ];
  const tables: TableAudit[] = [];
  for (const { shape, files } of parts)
    tables.push({
      ...(await keepPrepared(deps, plan, shape, files, prepared.get(shape.id))),
      ...(windowed.has(shape.id) ? { partitions: windowed.get(shape.id)?.partitions ?? [] } : {}),
    });
  const table = { schema: own && currentSchema(own.metadata), held: keysHeld(model, checked?.unique) };
  const facts = toldOf(deps, model.id, () => modelFacts(model, planned, outcome, table));
  return { model: model.id, counts: outcome.counts, tables, warnings, inputs: outcome.inputs, ...(facts && { facts }) };
}

async function auditAsItIs(deps: StepDeps, plan: RunPlan, model: ModelSpec, planned: ModelPlan): Promise<ModelAudit> {
  const { prepared, warnings } = await checkAsItIs(deps, plan, model, planned);
  return {
    model: model.id,
    counts: NO_ROWS,
    tables: [await keepPrepared(deps, plan, planned.shape, [], prepared)],
    warnings,
  };
}

/** Whether this run has staged all rows that the table comes to have, or has checked them all the same. */
function isStaged(plan: RunPlan, model: ModelSpec, own: Prepared): boolean {
  return model.layer === 'gold' || isAnew(plan, model.id) || (model.mode.kind === 'full' && own.removal === 'all');
}

async function checkRules(
  deps: StepDeps,
  plan: RunPlan,
  model: ModelSpec,
  { shape, rebuild }: ModelPlan,
): Promise<readonly string[]> {
  if (
    !isKeyed(model) ||
    rebuild ||
    isAnew(plan, model.id) ||
    followsRules(model.mode, await loadBase(deps.store, plan, model.id), model.renamed)
  )
    return [];
  const table = fullName(shape.table);
  return [
    `${table}: its mode has changed since its rows were made, and holds only for keys that new events touch; strata rebuild ${table} makes all rows anew`,
  ];
}

async function keepPrepared(
  deps: StepDeps,
  plan: RunPlan,
  shape: TableShape,
  files: readonly Placed[],
  prepared: Prepared | undefined,
): Promise<TableAudit> {
  const changed = prepared !== undefined && prepared.change.updates.length > 0;
  if (changed) {
    const text = new TextEncoder().encode(renderPrepared(prepared));
    await deps.store.write(runFolder.table(plan.run, shape.id), text, { kind: 'any' });
  }
  const rows_added = files.reduce((sum, f) => sum + f.written.rows, 0);
  const bytes = files.reduce((sum, f) => sum + f.written.bytes, 0);
  return { id: shape.id, table: shape.table, rows_added, files_added: files.length, prepared: changed, bytes };
}

function checkAccounts(model: ModelSpec, outcome: ModelOutcome, { batches }: ModelPlan, windowed: boolean): void {
  // A keyed model's rows reach its log; its history has as many rows as their keys have versions.
  const target = isKeyed(model) ? outcome.logged : outcome.written;
  // Of several batches of a replaced table only the last of each partition stays.
  const replaced = batches !== undefined && model.layer === 'silver' && ['replace', 'full'].includes(model.mode.kind);
  const written =
    outcome.relogged.length > 0 || replaced || windowed
      ? undefined
      : target.reduce((sum, f) => sum + f.written.rows, 0);
  const { read, accepted, quarantined, condemned, duplicates } = outcome.counts;
  if (accountsClose(outcome.counts) && (written ?? accepted) === accepted) return;
  throw new AuditFailed(
    `${model.id}: the accounts do not close: read ${read}, accepted ${accepted}, quarantined ${quarantined}, ` +
      `condemned ${condemned}, duplicates ${duplicates}, written ${written}; nothing is published`,
  );
}

type Part = {
  readonly shape: TableShape;
  readonly files: readonly Placed[];
  /** Files that say which rows of other files are gone. */
  readonly deletes?: readonly Placed[];
  readonly remove: (added: readonly DataFile[], target: Target) => Removal;
  /**
   * There is a snapshot although no file changes. A gold table remembers its inputs even when it has no rows, or it would be computed on
   * every run; a keyed table shows each change of its log, with which it goes back.
   */
  readonly always: boolean;
};

/** The tables that a model writes, with their new files and what these replace. */
function partsOf(
  plan: RunPlan,
  planned: ModelPlan,
  model: ModelSpec,
  outcome: ModelOutcome,
  ranges: RemovedRanges,
): readonly Part[] {
  const anew = isAnew(plan, model.id);
  if (isKeyed(model) && planned.log !== null) {
    const whole = planned.rebuild || planned.grown_from !== undefined;
    return [
      {
        shape: planned.log,
        files: outcome.logged,
        remove: (_, t) => (anew ? everything(t) : (ranges?.log ?? buckets(outcome.relogged, t, whole))),
        always: false,
      },
      {
        shape: planned.shape,
        files: outcome.written,
        deletes: outcome.deletes,
        remove: (_, t) => (anew ? everything(t) : (ranges?.history ?? buckets(outcome.rewritten, t, whole))),
        always: outcome.logged.length + outcome.relogged.length > 0,
      },
    ];
  }
  const remove: Part['remove'] = (added, target) =>
    anew ? everything(target) : removalOf(planned, model, outcome, added, target);
  return [{ shape: planned.shape, files: outcome.written, remove, always: model.layer === 'gold' }];
}

/** A table that is made anew loses all that it held. */
function everything({ create }: Target): Removal {
  return { kind: create === undefined ? 'all' : 'nothing' };
}

function buckets(rewritten: readonly number[], target: Target, whole: boolean): Removal {
  if (target.create !== undefined || rewritten.length === 0) return { kind: 'nothing' };
  return whole ? { kind: 'all' } : { kind: 'partitions', tuples: rewritten.map((bucket) => [bucket]) };
}

async function prepareTable(
  deps: StepDeps,
  plan: RunPlan,
  part: Part,
  summary: Readonly<Record<string, string>>,
): Promise<Prepared> {
  const metadata = await loadBase(deps.store, plan, part.shape.id);
  const target = planTarget(deps.store, metadata, part.shape);
  const added = dataFilesOf(deps.store, part.files, target);
  const remove = part.remove(added, target);
  // A table whose rows all stay keeps its columns too.
  const alter = part.shape.whole === true && remove.kind !== 'all' ? undefined : target.alter;
  const base = plan.tables[part.shape.id];
  const located = (written: string | undefined): string | null =>
    written === undefined ? null : locationNow(deps.store, part.shape.table, written);
  return prepareSnapshot(deps.store, {
    base: metadata === undefined ? undefined : { metadata, metadataLocation: located(base?.metadata_location) },
    ...(target.create === undefined ? {} : { create: target.create }),
    ...(alter === undefined ? {} : { alter }),
    added,
    addedDeletes: deleteFilesOf(deps.store, part.deletes ?? [], target),
    remove,
    snapshotId: deps.ids.snapshot(),
    nowMs: deps.clock.now().getTime(),
    unique: deps.ids.unique(),
    summary,
    emptySnapshot: part.always,
  });
}

async function summaryOf(
  deps: StepDeps,
  plan: RunPlan,
  model: ModelSpec,
  { rebuild }: ModelPlan,
): Promise<Readonly<Record<string, string>>> {
  const common = { [RUN_ID]: plan.run.run_id };
  if (isKeyed(model)) {
    const base = await loadBase(deps.store, plan, model.id);
    return { ...common, ...rulesAfter(model, base, rebuild || isAnew(plan, model.id)) };
  }
  if (model.layer === 'silver') return common;
  const states = await loadStates(deps.store, plan, model.reads);
  return { ...common, ...describeGold(plan.spec, model, states) };
}
