import { NONE_SKIPPED } from '../../core/objects.ts';
import type { LevelPlan, NamedFile, RunPlan, RunResult, RunState, StepTiming } from '../../core/run.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { discardRun, discardWorkFiles } from '../../lake/files/discard.ts';
import { durationOf } from '../../lake/ops/record-run.ts';
import { releaseLock } from '../../lake/run/lock.ts';
import { clearOpenRun } from '../../lake/run/open-run.ts';
import { readJson, readLevelPlan, readPlan, runFolder, writeOnce } from '../../lake/run/run-folder.ts';
import { type CommitRecord, readAudits, readSources, type SourceOutcome } from '../../lake/run/run-records.ts';
import { readOutcome } from '../../lake/run/unit-result.ts';
import { findModel, openTables } from '../../lake/tables/table-state.ts';
import type { Row } from '../../ports.ts';
import { previewRows } from '../../sql/audit.ts';

const PREVIEW_ROWS = 5;

/** Ends a run: its result, no more work files, no lock. */
export async function runFinish(state: RunState, deps: StepDeps): Promise<RunState> {
  const { run } = state;
  if ((await deps.store.head(runFolder.result(run))) === undefined) {
    const plan = await readPlan(deps.store, run);
    const result = await assembleResult(deps, plan);
    if (run.dry_run) await discardRun(deps.store, plan);
    await writeOnce(deps.store, runFolder.result(run), result);
    await discardWorkFiles(deps.store, plan);
  }
  await clearOpenRun(deps.store, run);
  await releaseLock(deps, run);
  return state;
}

async function assembleResult(deps: StepDeps, plan: RunPlan): Promise<RunResult> {
  const commit = await readJson<CommitRecord>(deps.store, runFolder.commit(plan.run));
  const audits = await readAudits(deps, plan);
  const sources = await readSources(deps, plan);
  const rejected = sources.flatMap(({ source, outcome }) =>
    outcome.files
      .filter((f) => f.status === 'rejected')
      .map((f) => ({ source, file: f.key, reason: `${f.code}: ${f.reason}` })),
  );
  return {
    run_id: plan.run.run_id,
    pipeline: plan.run.pipeline,
    status: plan.run.dry_run ? 'DRY_RUN' : 'SUCCEEDED',
    accounting: commit.accounting,
    rejected_files: rejected,
    left_files: sources.flatMap(({ source, outcome }) =>
      outcome.left.map(({ key, reason }) => ({ source, file: key, reason })),
    ),
    skipped: plan.skipped ?? NONE_SKIPPED,
    suspended_files: [...(plan.suspended ?? []), ...sources.flatMap(suspendedIn)],
    tables: commit.tables,
    ...(plan.selected === undefined ? {} : { selected: plan.selected }),
    warnings: audits.flatMap((a) => a.models.flatMap((m) => m.warnings)),
    previews: plan.run.dry_run ? await preview(deps, plan) : {},
    duration_ms: durationOf(plan, deps.clock.now()),
    steps: await timings(deps, plan, commit),
    error: null,
  };
}

function suspendedIn({ source, outcome }: SourceOutcome): readonly NamedFile[] {
  return outcome.files
    .filter((file) => file.status === 'suspended')
    .map((file) => ({ source, file: file.key, reason: `${file.code}: ${file.reason}` }));
}

async function timings(deps: StepDeps, plan: RunPlan, commit: CommitRecord): Promise<readonly StepTiming[]> {
  const steps: StepTiming[] = [{ step: 'Open', level: null, units: 0, ms: plan.planning_ms }];
  const audits = await readAudits(deps, plan);
  for (const [level, audit] of audits.entries()) {
    const levelPlan = await readLevelPlan(deps.store, plan.run, level);
    steps.push({ step: 'PlanStage', level, units: 0, ms: levelPlan.ms });
    steps.push(...(await unitTimings(deps, plan, levelPlan)));
    steps.push({ step: 'Audit', level, units: 0, ms: audit.ms });
  }
  return [...steps, { step: 'Commit', level: null, units: 0, ms: commit.ms }];
}

/** Milliseconds added up over units, which may have worked side by side. */
async function unitTimings(deps: StepDeps, plan: RunPlan, level: LevelPlan): Promise<readonly StepTiming[]> {
  const stage = { step: 'Stage', level: level.level, units: 0, ms: 0 };
  const merge = { step: 'Merge', level: level.level, units: 0, ms: 0 };
  for (const planned of level.models) {
    const outcome = await readOutcome(deps, plan.run, level.level, planned);
    stage.units += planned.units.length;
    stage.ms += outcome.stage_ms;
    merge.units += outcome.merge_units;
    merge.ms += outcome.merge_ms;
  }
  return [stage, merge].filter((step) => step.units > 0);
}

/** The first rows of every table as a dry run computed it. */
async function preview(deps: StepDeps, plan: RunPlan): Promise<Readonly<Record<string, readonly Row[]>>> {
  await using session = await deps.engine.open(deps.settings);
  const refs = plan.spec.models.map((m) => ({ layer: m.layer, name: m.name }));
  await using _tables = await openTables(deps.store, session, plan, refs);
  const previews: Record<string, readonly Row[]> = {};
  for (const id of plan.selected ?? plan.spec.levels.flat()) {
    const { layer, name } = findModel(plan.spec, id);
    previews[id] = await session.rows(previewRows(layer, name, PREVIEW_ROWS));
  }
  return previews;
}
