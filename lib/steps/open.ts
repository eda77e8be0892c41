import { InvalidInput } from '../core/errors.ts';
import type { Skipped } from '../core/objects.ts';
import { opsTable } from '../core/ops.ts';
import type { BaseTable, OpenInput, PlannedSource, RunPlan, RunRef, RunState } from '../core/run.ts';
import type { PipelineSpec } from '../core/spec.ts';
import type { TableId } from '../core/tables.ts';
import { currentSnapshot } from '../iceberg/snapshot.ts';
import type { TableMetadata } from '../iceberg/types.ts';
import { loadTable } from '../table/read.ts';
import { requireClosed } from './breaker.ts';
import { chooseWork } from './choose-work.ts';
import type { StepDeps } from './deps.ts';
import { discardRun } from './discard.ts';
import { goldReason } from './gold-inputs.ts';
import { findNewFiles, type Landed, renameEtags } from './ledger.ts';
import { handOver, releaseLock, takeLock } from './lock.ts';
import { checkRunId, readJsonIfAny, readPlan, runFolder, writeJson, writePlan } from './run-folder.ts';
import { modelTables } from './table-state.ts';

export type { OpenInput } from '../core/run.ts';

type KnownTable = { readonly metadata: TableMetadata; readonly location: string };

/** What there is to do for a pipeline, computed without writing anything. */
export type Survey = {
  readonly spec: PipelineSpec;
  readonly waiting: Landed['waiting'];
  readonly skipped: Skipped;
  readonly renamed: Landed['renamed'];
  readonly tables: ReadonlyMap<string, KnownTable | undefined>;
  readonly quarantine: KnownTable | undefined;
  /** Gold models that would be computed even without new files, with the reason. */
  readonly stale: ReadonlyMap<string, string>;
  readonly ms: number;
};

/**
 * Opens a run: takes the pipeline's lock and writes the plan, or finds one to go on with. An unfinished run of the
 * pipeline is resumed first, whatever run_id was asked for; the caller sees it in the answer and starts its own again.
 * Throws LockHeld while another live run works.
 */
export async function runOpen(input: OpenInput, deps: StepDeps): Promise<RunState> {
  const { pipeline, dry_run } = input;
  const run: RunRef = { pipeline, run_id: checkRunId(input.run_id), dry_run };
  const request = requestOf(input);
  const idle = { request, run, level: 0, levels: 0 };
  if ((await deps.store.head(runFolder.result(run))) !== undefined) return { status: 'done', ...idle };
  await takeLock(deps, run.pipeline, run.run_id);
  const unfinished = await findUnfinished(deps, run);
  if (unfinished !== undefined) {
    await handOver(deps, run.pipeline, run.run_id, unfinished.run.run_id);
    return planned(unfinished, request);
  }
  await requireClosed(deps.store, run.pipeline);
  const survey = await surveyPipeline(deps, run.pipeline);
  warnOfSkipped(deps, survey.skipped);
  const plan = await planRun(deps, run, input, survey);
  if (plan !== undefined) return planned(plan, request);
  await releaseLock(deps, run.pipeline, run.run_id);
  return { status: 'nothing', ...idle, skipped: survey.skipped };
}

/** What was asked for, without what the state machine has put beside it. */
function requestOf({ pipeline, run_id, dry_run, wait, rebuild, reprocess }: OpenInput): OpenInput {
  return {
    pipeline,
    run_id,
    dry_run,
    ...(wait === undefined ? {} : { wait }),
    ...(rebuild === undefined ? {} : { rebuild }),
    ...(reprocess === undefined ? {} : { reprocess }),
  };
}

/** Where the run that is under way is named, so that another can find it without listing all runs. */
export function openRunKey(pipeline: string): string {
  return `ops/${pipeline}/open-run.json`;
}

async function findUnfinished(deps: StepDeps, run: RunRef): Promise<RunPlan | undefined> {
  const open = await readJsonIfAny<RunRef>(deps.store, openRunKey(run.pipeline));
  if (open === undefined || (await deps.store.head(runFolder.plan(open))) === undefined) return undefined;
  if ((await deps.store.head(runFolder.result(open))) !== undefined) return undefined;
  const plan = await readPlan(deps.store, open);
  if (open.dry_run) {
    await discardRun(deps.store, plan);
    return undefined;
  }
  if (run.dry_run) {
    throw new InvalidInput(
      `run ${open.run_id} of ${open.pipeline} is unfinished, and finishing it publishes: run without --dry-run first`,
    );
  }
  deps.log.info('an unfinished run is resumed', { run_id: open.run_id });
  return plan;
}

function warnOfSkipped(deps: StepDeps, { count, names }: Skipped): void {
  for (const { name, reason } of names) deps.log.warn('not a file of a source', { name, reason });
  if (count > names.length) deps.log.warn('more names are not files of a source', { names: count - names.length });
}

async function planRun(deps: StepDeps, run: RunRef, input: OpenInput, survey: Survey): Promise<RunPlan | undefined> {
  if (!run.dry_run) await renameEtags(deps, run.pipeline, survey.renamed);
  const work = await chooseWork(deps, survey, input);
  const files = [...work.files.values()].flat();
  if (files.length === 0 && work.rebuild.length === 0 && survey.stale.size === 0) return undefined;
  const sources: Record<string, PlannedSource> = {};
  for (const [source, landed] of work.files) {
    const files_key = runFolder.files(run, source);
    await writeJson(deps.store, files_key, landed);
    sources[source] = { files_key, files: landed.length, bytes: landed.reduce((sum, f) => sum + f.size, 0) };
  }
  const plan: RunPlan = {
    run,
    created_at: deps.clock.now().toISOString(),
    spec: survey.spec,
    tables: Object.fromEntries([...survey.tables].map(([id, table]) => [id, baseTable(table)])),
    sources,
    planning_ms: survey.ms,
    quarantine: baseTable(survey.quarantine),
    rebuild: work.rebuild,
    withdraw: work.withdraw,
    skipped: survey.skipped,
  };
  await writeJson(deps.store, openRunKey(run.pipeline), run);
  return writePlan(deps.store, plan);
}

/** Reads what has landed, the ledger and the tables of a pipeline. */
export async function surveyPipeline(deps: StepDeps, pipeline: string): Promise<Survey> {
  const started = deps.clock.now().getTime();
  const spec = await deps.specs(pipeline);
  const tables = new Map<string, KnownTable | undefined>();
  for (const [id, table] of modelTables(spec)) {
    tables.set(id, await findKnown(deps, table));
  }
  const quarantine = await findKnown(deps, opsTable(pipeline, 'quarantine'));
  const session = await deps.engine.open(deps.settings);
  try {
    const landed = await findNewFiles(deps, session, pipeline, spec.sources);
    const ms = deps.clock.now().getTime() - started;
    return { spec, ...landed, tables, quarantine, stale: findStale(spec, tables), ms };
  } finally {
    await session.close();
  }
}

async function findKnown(deps: StepDeps, table: TableId): Promise<KnownTable | undefined> {
  const entry = await loadTable(deps.catalog, table);
  return entry && { metadata: entry.metadata, location: entry.metadataLocation };
}

/** A lake without silver has nothing to compute gold from. */
function findStale(
  spec: PipelineSpec,
  tables: ReadonlyMap<string, { metadata: TableMetadata } | undefined>,
): ReadonlyMap<string, string> {
  const states = new Map([...tables].map(([id, table]) => [id, table?.metadata]));
  const stale = new Map<string, string>();
  if (!spec.models.some((m) => m.layer === 'silver' && states.get(m.id) !== undefined)) return stale;
  for (const model of spec.models) {
    if (model.layer !== 'gold') continue;
    const reason = goldReason(model, states.get(model.id), states);
    if (reason !== undefined) stale.set(model.id, reason);
  }
  return stale;
}

function baseTable(table: KnownTable | undefined): BaseTable | null {
  if (table === undefined) return null;
  const snapshot = currentSnapshot(table.metadata);
  return {
    metadata_location: table.location,
    snapshot_id: snapshot === undefined ? null : snapshot['snapshot-id'].toString(),
  };
}

function planned(plan: RunPlan, request: OpenInput): RunState {
  return { status: 'planned', request, run: plan.run, level: 0, levels: plan.spec.levels.length };
}
