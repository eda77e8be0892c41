import { AuditFailed } from '../core/errors.ts';
import { accountsClose, type ModelPlan, type RowCounts, type RunPlan, type RunState } from '../core/run.ts';
import type { ModelSpec } from '../core/spec.ts';
import { fullName } from '../core/tables.ts';
import { RUN_ID } from '../iceberg/snapshot.ts';
import type { DataFile } from '../iceberg/types.ts';
import { type Prepared, prepareSnapshot, renderPrepared } from '../table/prepare.ts';
import type { Removal } from '../table/removal.ts';
import { dataFilesOf } from './data-files.ts';
import type { StepDeps } from './deps.ts';
import { checkRows, checkTable } from './expectations.ts';
import { describeInputs, hashModel, INPUTS, MODEL_HASH } from './gold-inputs.ts';
import { readLevelPlan, readPlan, runFolder, writeOnce } from './run-folder.ts';
import { findModel, loadBase, loadStates } from './table-state.ts';
import { planTarget, type Target } from './target.ts';
import { type ModelOutcome, readOutcome } from './unit-result.ts';

export type ModelAudit = {
  readonly model: string;
  readonly table: string;
  readonly counts: RowCounts;
  readonly rows_added: number;
  readonly files_added: number;
  readonly warnings: readonly string[];
  /** Whether there is anything to publish. */
  readonly prepared: boolean;
};

export type LevelAudit = { readonly level: number; readonly models: readonly ModelAudit[]; readonly ms: number };

/**
 * Checks what a level staged against its accounts and expectations and prepares one snapshot per table. Nothing is
 * published here: the tables of all levels are, together, when every level has passed.
 * Throws AuditFailed for accounts that do not close and for an expectation with policy `fail`.
 */
export async function runAudit(state: RunState, deps: StepDeps): Promise<RunState> {
  const { run, level } = state;
  const { stage: _stage, merge: _merge, ...rest } = state;
  const next: RunState = { ...rest, level: level + 1 };
  if ((await deps.store.head(runFolder.audit(run, level))) !== undefined) return next;
  const started = deps.clock.now().getTime();
  const plan = await readPlan(deps.store, run);
  const models: ModelAudit[] = [];
  for (const planned of (await readLevelPlan(deps.store, run, level)).models) {
    models.push(await auditModel(deps, plan, level, planned));
  }
  const audit: LevelAudit = { level, models, ms: deps.clock.now().getTime() - started };
  await writeOnce(deps.store, runFolder.audit(run, level), audit);
  return next;
}

async function auditModel(deps: StepDeps, plan: RunPlan, level: number, planned: ModelPlan): Promise<ModelAudit> {
  const model = findModel(plan.spec, planned.model);
  const outcome = await readOutcome(deps, plan.run, level, planned);
  if (model.layer === 'silver') checkAccounts(model, outcome);
  const prepared = await prepareTable(deps, plan, planned, model, outcome);
  const warnings = [...checkRows(model, outcome.broken), ...(await checkTable(deps, plan, model, prepared.metadata))];
  const changed = prepared.change.updates.length > 0;
  if (changed) await writePrepared(deps, plan, planned, prepared);
  return {
    model: model.id,
    table: fullName(planned.table),
    counts: outcome.counts,
    rows_added: outcome.written.reduce((sum, f) => sum + f.written.rows, 0),
    files_added: outcome.written.length,
    warnings,
    prepared: changed,
  };
}

async function writePrepared(deps: StepDeps, plan: RunPlan, planned: ModelPlan, prepared: Prepared): Promise<void> {
  const bytes = new TextEncoder().encode(renderPrepared(prepared));
  await deps.store.write(runFolder.table(plan.run, planned.model), bytes, { kind: 'any' });
}

function checkAccounts(model: ModelSpec, outcome: ModelOutcome): void {
  const written = outcome.written.reduce((sum, f) => sum + f.written.rows, 0);
  const { read, accepted, quarantined, condemned, duplicates } = outcome.counts;
  if (accountsClose(outcome.counts) && written === accepted) return;
  throw new AuditFailed(
    `${model.id}: the accounts do not close: read ${read}, accepted ${accepted}, quarantined ${quarantined}, ` +
      `condemned ${condemned}, duplicates ${duplicates}, written ${written}; nothing is published`,
  );
}

async function prepareTable(
  deps: StepDeps,
  plan: RunPlan,
  planned: ModelPlan,
  model: ModelSpec,
  outcome: ModelOutcome,
): Promise<Prepared> {
  const metadata = await loadBase(deps.store, plan, model.id);
  const target = planTarget(deps.store, metadata, planned, model);
  const added = dataFilesOf(deps.store, outcome.written, target);
  const base = plan.tables[model.id];
  return prepareSnapshot(deps.store, {
    base: metadata === undefined ? undefined : { metadata, metadataLocation: base?.metadata_location ?? null },
    ...(target.create === undefined ? {} : { create: target.create }),
    ...(target.alter === undefined ? {} : { alter: target.alter }),
    added,
    remove: removalOf(model, outcome, added, target),
    snapshotId: deps.ids.snapshot(),
    nowMs: deps.clock.now().getTime(),
    unique: deps.ids.unique(),
    summary: await summaryOf(deps, plan, model),
    // A gold table remembers its inputs even when it has no rows, or it would be computed on every run.
    emptySnapshot: model.layer === 'gold',
  });
}

function removalOf(model: ModelSpec, outcome: ModelOutcome, added: readonly DataFile[], target: Target): Removal {
  const existing = target.create === undefined;
  if (model.layer === 'gold') return existing ? { kind: 'all' } : { kind: 'nothing' };
  const ingested = outcome.files.some((f) => f.status === 'ingested');
  switch (model.mode.kind) {
    case 'append':
      return { kind: 'nothing' };
    case 'full':
      return existing && ingested ? { kind: 'all' } : { kind: 'nothing' };
    case 'replace': {
      if (!existing || added.length === 0) return { kind: 'nothing' };
      return target.spec.fields.length === 0
        ? { kind: 'all' }
        : { kind: 'partitions', tuples: distinct(added.map((file) => file.partition)) };
    }
  }
}

function distinct(tuples: readonly DataFile['partition'][]): DataFile['partition'][] {
  const text = (tuple: DataFile['partition']): string =>
    JSON.stringify(tuple, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
  return [...new Map(tuples.map((tuple) => [text(tuple), tuple])).values()];
}

async function summaryOf(deps: StepDeps, plan: RunPlan, model: ModelSpec): Promise<Readonly<Record<string, string>>> {
  const common = { [RUN_ID]: plan.run.run_id };
  if (model.layer === 'silver') return common;
  const states = await loadStates(deps.store, plan, model.reads);
  return { ...common, [INPUTS]: describeInputs(model, states), [MODEL_HASH]: hashModel(model) };
}
