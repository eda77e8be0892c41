import { DEFAULT_COMPUTE } from '../../core/compute.ts';
import { exportWarnings } from '../../core/exports.ts';
import { NONE_SKIPPED } from '../../core/objects.ts';
import { addRequests, type Requests, times } from '../../core/requests.ts';
import type { FileOutcome, NamedFile, RunPlan, RunResult, RunState, StepTiming } from '../../core/run.ts';
import { fullName } from '../../core/tables.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { discardRun, findWorkFiles } from '../../lake/files/discard.ts';
import { waitedFor } from '../../lake/gate/gate-folder.ts';
import { settleRun } from '../../lake/ops/discover.ts';
import { readParities } from '../../lake/ops/parities.ts';
import { durationOf } from '../../lake/ops/run-row.ts';
import { releaseLock } from '../../lake/run/lock.ts';
import { RECORDING, startMeasuring } from '../../lake/run/measure.ts';
import { clearOpenRun } from '../../lake/run/open-run.ts';
import { readJson, readPlan, runFolder, writeOnce } from '../../lake/run/run-folder.ts';
import { type CommitRecord, readAudits, readSources, type SourceOutcome } from '../../lake/run/run-records.ts';
import { readTimings } from '../../lake/run/timings.ts';
import { readServed, statesOf, writeServed } from '../../lake/serve/served.ts';
import { openTables } from '../../lake/tables/open-tables.ts';
import { findModel, tableIdOf } from '../../lake/tables/table-state.ts';
import { costOfRun } from '../../plan/cost.ts';
import type { Row } from '../../ports.ts';
import { previewRows } from '../../sql/audit.ts';
import { removeObjects } from '../../table/remove-objects.ts';

const PREVIEW_ROWS = 5;

/** What the state machine still waits for once the result says what the run took, apart from the removals. */
const CLOSING: Requests = addRequests(
  RECORDING,
  // The run pointer, and the lock, are read and then written.
  ...[{ get: 1, put: 0 }, RECORDING, { get: 1, put: 0 }, RECORDING],
);
/** A removal is free, but the lock is looked at before it. */
const REMOVAL: Requests = { get: 1, put: 0 };

/** Ends a run: its result, no more work files, no lock. */
export async function runFinish(state: RunState, deps: StepDeps): Promise<RunState> {
  const { run } = state;
  if ((await deps.store.head(runFolder.result(run))) === undefined) {
    const measure = startMeasuring(deps);
    const plan = await readPlan(deps.store, run);
    const { folded = [], ...commit } = await readJson<CommitRecord>(deps.store, runFolder.commit(run));
    const ended = await assembleResult(deps, plan, commit, state);
    await noteUnserved(deps, plan, ended.serve);
    if (run.dry_run) await discardRun(deps.store, plan);
    const workFiles = await findWorkFiles(deps.store, plan);
    // They are in the tables, which a commit that is repeated has to find out by these.
    if (folded.length > 0) await removeObjects(deps.store, folded);
    // A file that changed before it was read is the next run's to look for.
    if (ended.left_files.length === 0) await settleRun(deps.store, run);
    const own = measure(addRequests(CLOSING, times(REMOVAL, workFiles.length)));
    const steps = [...ended.steps, { step: 'Finish', level: null, units: 0, ...own }];
    const cost = costOfRun({ ...ended, steps }, plan.spec.compute ?? DEFAULT_COMPUTE);
    await writeOnce(deps.store, runFolder.result(run), { ...ended, steps, cost } satisfies RunResult);
    for (const key of workFiles) await deps.store.remove(key);
  }
  await clearOpenRun(deps.store, run);
  await releaseLock(deps, run);
  // A run that was only resumed is served with the one that was asked for.
  const own = run.run_id === state.request.run_id;
  return own && state.serve_error !== undefined ? { ...state, unserved: true, error: state.serve_error } : state;
}

async function assembleResult(
  deps: StepDeps,
  plan: RunPlan,
  commit: CommitRecord,
  state: RunState,
): Promise<RunResult> {
  const audits = await readAudits(deps, plan);
  const sources = await readSources(deps, plan);
  const parities = await readParities(deps, plan);
  return {
    run_id: plan.run.run_id,
    pipeline: plan.run.pipeline,
    status: plan.run.dry_run ? 'DRY_RUN' : 'SUCCEEDED',
    accounting: commit.accounting,
    rejected_files: sources.flatMap((one) => filesWith(one, 'rejected')),
    left_files: sources.flatMap(leftOf),
    skipped: plan.skipped ?? NONE_SKIPPED,
    removed_tables: plan.removed ?? [],
    suspended_files: [...(plan.suspended ?? []), ...sources.flatMap((one) => filesWith(one, 'suspended'))],
    tables: commit.tables,
    ...(commit.exports && { exports: commit.exports }),
    ...(commit.gate && { gate: commit.gate }),
    ...(parities === undefined ? {} : { parities }),
    ...(plan.branch === undefined ? {} : { branch: plan.branch }),
    ...serveOf(plan, state),
    ...(plan.selected === undefined ? {} : { selected: plan.selected }),
    ...(plan.anew === undefined ? {} : { anew: plan.anew.map((id) => nameOf(plan, id)) }),
    ...(plan.window === undefined ? {} : { partitions: partitionsOf(audits) }),
    warnings: [
      ...audits.flatMap((a) => a.models.flatMap((m) => m.warnings)),
      ...exportWarnings(plan.run.pipeline, commit.exports ?? []),
    ],
    previews: plan.run.dry_run ? await preview(deps, plan) : {},
    duration_ms: durationOf({ ...plan, ...(plan.spec.promote && (await waitedFor(deps, plan.run))) }, deps.clock.now()),
    steps: [...(await readTimings(deps, plan, audits, state.commit ?? commit)), ...servingOf(state)],
    error: null,
  };
}

function servingOf({ serving }: RunState): readonly StepTiming[] {
  return serving === undefined ? [] : [{ step: 'Serve', level: null, units: 0, ...serving }];
}

function serveOf({ spec, run }: RunPlan, { served = [], serve_error: error }: RunState): Pick<RunResult, 'serve'> {
  if (spec.serve === undefined || run.dry_run) return {};
  return { serve: { tables: served, error: error === undefined ? null : { name: error.Error, message: error.Cause } } };
}

/** Why the tables of the run are not where they are served, for whoever lists them. */
async function noteUnserved({ store }: StepDeps, { run, spec }: RunPlan, outcome: RunResult['serve']): Promise<void> {
  if (spec.serve === undefined || outcome === undefined || outcome.error === null) return;
  const tables = statesOf(spec.serve, await readServed(store, run.pipeline));
  await writeServed(store, run.pipeline, { tables, error: { run_id: run.run_id, ...outcome.error } });
}

function partitionsOf(audits: Awaited<ReturnType<typeof readAudits>>): Readonly<Record<string, readonly string[]>> {
  const tables = audits.flatMap((audit) => audit.models.flatMap((model) => model.tables));
  return Object.fromEntries(
    tables.flatMap(({ table, partitions }) => (partitions === undefined ? [] : [[fullName(table), partitions]])),
  );
}

function nameOf({ spec }: RunPlan, id: string): string {
  return fullName(tableIdOf(spec, findModel(spec, id)));
}

/** Files of a source that were set aside, each once though several tables read it. */
function filesWith({ source, tables }: SourceOutcome, status: FileOutcome['status']): readonly NamedFile[] {
  const files = tables.flatMap(({ outcome }) => outcome.files.filter((file) => file.status === status));
  return once(files.map(({ key, code, reason }) => ({ source, file: key, reason: `${code}: ${reason}` })));
}

function leftOf({ source, tables }: SourceOutcome): readonly NamedFile[] {
  return once(tables.flatMap(({ outcome }) => outcome.left.map(({ key, reason }) => ({ source, file: key, reason }))));
}

function once(files: readonly NamedFile[]): readonly NamedFile[] {
  return [...new Map(files.map((one) => [JSON.stringify([one.file, one.reason]), one])).values()];
}

/** The first rows of every table as a dry run computed it. */
async function preview(deps: StepDeps, plan: RunPlan): Promise<Readonly<Record<string, readonly Row[]>>> {
  await using session = await deps.engine.open(deps.settings);
  const refs = plan.spec.models.map((m) => ({ layer: m.layer, name: m.name }));
  await using _tables = await openTables(deps.store, session, plan, { refs });
  const previews: Record<string, readonly Row[]> = {};
  for (const id of plan.selected ?? plan.spec.levels.flat()) {
    const { layer, name, columns, personal = [] } = findModel(plan.spec, id);
    const masked = columns.filter((column) => personal.includes(column.name));
    previews[id] = await session.rows(previewRows(layer, name, PREVIEW_ROWS, masked));
  }
  return previews;
}
