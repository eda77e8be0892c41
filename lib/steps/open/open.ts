import { askedOf } from '../../core/asked.ts';
import { InvalidInput } from '../../core/errors.ts';
import type { Skipped } from '../../core/objects.ts';
import type { BaseTable, HeldRun, OpenInput, RunPlan, RunRef, RunState } from '../../core/run.ts';
import { withoutSeedTexts } from '../../core/seeds.ts';
import type { PipelineSpec } from '../../core/spec.ts';
import { currentSnapshot } from '../../iceberg/snapshot.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { discardRun, discardWorkFiles } from '../../lake/files/discard.ts';
import { requireNoRollback } from '../../lake/maintain/rollback.ts';
import { choosePeriod } from '../../lake/ops/branches/choose-period.ts';
import { notingRefusal } from '../../lake/ops/branches/refused-period.ts';
import { requireClosed } from '../../lake/ops/breaker.ts';
import { type Discovery, discover, keepDiscovery, settle } from '../../lake/ops/discover.ts';
import { checkChanges, checksDue, isPlain } from '../../lake/ops/due.ts';
import { renameEtags } from '../../lake/ops/ledger.ts';
import { nameSuspended } from '../../lake/ops/set-aside.ts';
import { type KnownTable, type Survey, selectedOf, surveyPipeline } from '../../lake/ops/survey.ts';
import { readDecision } from '../../lake/run/decision.ts';
import { fenced } from '../../lake/run/fence.ts';
import { requireUnusedId } from '../../lake/run/forgotten-ids.ts';
import { handOver, releaseLock } from '../../lake/run/lock.ts';
import { clearOpenRun, type OpenRun, pointTo, readOpenRun } from '../../lake/run/open-run.ts';
import { checkRunId, readPlan, runFolder, writePlan } from '../../lake/run/run-folder.ts';
import { requireOwnId } from '../../lake/run/run-ids.ts';
import { servesBehind } from '../../lake/serve/served.ts';
import { findStuck } from '../../lake/tables/apart.ts';
import { checkModes } from '../../lake/tables/table-mode.ts';
import { listFiles } from '../../plan/file-lists.ts';
import { shadowsAsked } from '../shadow/plan-shadows.ts';
import { type Awaited, findAwaited, leaveWaiting } from './awaited.ts';
import { chooseWork } from './choose-work.ts';
import { landSeeds } from './land-seeds.ts';
import { planFiles, writeLists } from './plan-files.ts';
import { takeTurn } from './take-turn.ts';
import type { Work } from './work.ts';

export type { OpenInput } from '../../core/run.ts';

/** Files and tables that a state names: it has room for some. */
const MOST_NAMED = 20;

/**
 * Opens a run: takes the pipeline's lock and writes the plan, or finds one to go on with. An unfinished run of the
 * pipeline is resumed first, whatever run_id was asked for; the caller sees it in the answer and starts its own again.
 * Throws LockHeld while another live run works; of executions that wait without a person, all but one are coalesced instead.
 */
export async function runOpen(input: OpenInput, deps: StepDeps): Promise<RunState> {
  const { pipeline, dry_run } = input;
  const asked: RunRef = { pipeline, run_id: checkRunId(input.run_id), dry_run };
  const request = requestOf(input);
  const idle = { request, run: asked, level: 0, levels: 0 };
  if ((await deps.store.head(runFolder.result(asked))) !== undefined) return { status: 'done', ...idle };
  await requireOwnId(deps.store, asked, 'run');
  if (!dry_run) await requireUnusedId(deps.store, asked);
  const turn = await takeTurn(deps, input);
  if (turn.kind === 'coalesced') {
    deps.log.info('coalesced: another execution waits for the turn', {
      run_id: asked.run_id,
      behind: turn.behind.run_id,
    });
    return { status: 'coalesced', ...idle, behind: turn.behind };
  }
  const run = { ...asked, epoch: turn.epoch };
  try {
    const found = await openHeld(fenced(deps, run), run, input);
    if ('run' in found) return { status: 'planned', request, ...found };
    if ('awaited' in found) return await leaveWaiting(deps, run, input, { ...idle, awaited: found.awaited });
    await releaseLock(deps, run);
    return { status: 'nothing', ...idle, ...found };
  } catch (cause) {
    // Whatever became of this, its own failure is the one to tell of.
    await releaseLock(deps, run).catch(() => undefined);
    throw cause;
  }
}

type Nothing = Pick<RunState, 'skipped' | 'suspended' | 'removed' | 'branch_done' | 'branches'>;
type Opened = Pick<RunState, 'run' | 'level' | 'levels' | 'serves'>;

async function openHeld(
  deps: StepDeps,
  run: HeldRun & { readonly epoch: number },
  input: OpenInput,
): Promise<Opened | Nothing | Awaited> {
  for (;;) {
    const pointer = await readOpenRun(deps.store, run);
    if (await tidyEnded(deps, pointer)) continue;
    await requireNoRollback(deps.store, pointer.run);
    const awaited = await findAwaited(deps, run, pointer.run);
    if (awaited !== undefined) return { awaited };
    const unfinished = await findUnfinished(deps, run, pointer.run);
    if (unfinished !== undefined) {
      const resumed = { ...unfinished.run, epoch: run.epoch };
      if (!(await pointTo(deps.store, pointer, resumed))) continue;
      await handOver(deps, run, resumed.run_id);
      deps.log.info('an unfinished run is resumed', { run_id: resumed.run_id });
      return opened(unfinished, resumed);
    }
    const compiled = await deps.specs(run.pipeline);
    const chosen = await choosePeriod(deps, compiled, input);
    const own = chosen?.kind === 'period' ? { ...run, run_id: chosen.run_id } : run;
    await notingRefusal(deps, own, chosen, () => requireClosed(deps.store, run.pipeline));
    if (chosen?.kind === 'nothing') return { branch_done: chosen.done };
    const discovery = await discover(deps, compiled, input);
    const { survey, planned } = await notingRefusal(deps, own, chosen, () =>
      surveyAndPlan(deps, own, { input, branch: chosen?.branch, named: discovery?.named }),
    );
    if (planned === undefined) {
      if (discovery !== undefined) await settle(deps.store, run.pipeline, discovery);
      const branches = survey.spec.schedules?.map(({ name }) => name);
      return { ...nothingOf(survey), ...(branches && { branches }) };
    }
    // A pointer that has moved was moved by one that this run has overtaken, whose work may have to be gone on with.
    if (!(await pointTo(deps.store, pointer, own))) continue;
    if (own.run_id !== run.run_id) {
      await handOver(deps, run, own.run_id);
      deps.log.info('a period of before is run first', { ...chosen?.branch, run_id: own.run_id });
    }
    if (discovery !== undefined) await keepDiscovery(deps.store, own, discovery);
    await record(deps, survey.spec, planned);
    return opened(planned.plan, own);
  }
}

type Looking = {
  readonly input: OpenInput;
  readonly branch: RunPlan['branch'];
  readonly named: Discovery['named'] | undefined;
};

/** What there is, and what is to be done about it. */
async function surveyAndPlan(
  deps: StepDeps,
  { pipeline, run_id, dry_run }: RunRef,
  { input, branch, named }: Looking,
): Promise<{ readonly survey: Survey; readonly planned: Planned | undefined }> {
  const asked = { ...askedOf(input), ...(branch && { period: branch.period }) };
  const survey = await surveyPipeline(deps, pipeline, asked, named);
  warnOfSkipped(deps, survey.skipped);
  for (const one of survey.selection?.along ?? []) deps.log.info('a model runs as well', one);
  const run = { pipeline, run_id, dry_run, ...(branch && { branch }) };
  return { survey, planned: await planRun(deps, run, input, survey) };
}

function nothingOf({ skipped, aside, ...survey }: Survey): Nothing {
  const suspended = nameSuspended(aside).slice(0, MOST_NAMED);
  const removed = survey.removed.slice(0, MOST_NAMED);
  return {
    skipped,
    ...(suspended.length === 0 ? {} : { suspended }),
    ...(removed.length === 0 ? {} : { removed }),
  };
}

/** Takes over what a run that had ended did not come to: its work files and the pointer. False when there is no such run. */
async function tidyEnded(deps: StepDeps, { run, epoch }: OpenRun): Promise<boolean> {
  if (run === undefined || (await deps.store.head(runFolder.result(run))) === undefined) return false;
  if ((await deps.store.head(runFolder.plan(run))) !== undefined) {
    await discardWorkFiles(deps.store, await readPlan(deps.store, run));
  }
  await clearOpenRun(deps.store, { ...run, epoch });
  return true;
}

function opened(plan: RunPlan, run: HeldRun): Opened {
  const serves = plan.spec.serve === undefined || run.dry_run ? {} : ({ serves: true } as const);
  const levels = plan.spec.levels.length + (plan.shadows === undefined ? 0 : 1);
  return { run, level: 0, levels, ...serves };
}

/** What was asked for, without what the state machine has put beside it. */
function requestOf({ pipeline, run_id, dry_run, wait, started_by, maintain, ...asked }: OpenInput): OpenInput {
  return {
    pipeline,
    run_id,
    dry_run,
    ...(wait === undefined ? {} : { wait }),
    ...(started_by === undefined ? {} : { started_by }),
    ...(maintain === undefined ? {} : { maintain }),
    ...askedOf(asked),
  };
}

async function findUnfinished(deps: StepDeps, run: RunRef, open: RunRef | undefined): Promise<RunPlan | undefined> {
  if (open === undefined || (await deps.store.head(runFolder.plan(open))) === undefined) return undefined;
  const plan = await readPlan(deps.store, open);
  if (open.dry_run || (await readDecision(deps.store, open))?.undo !== undefined) {
    await discardRun(deps.store, plan);
    return undefined;
  }
  if (run.dry_run) {
    throw new InvalidInput(
      `run ${open.run_id} of ${open.pipeline} is unfinished, and finishing it publishes: run without --dry-run first`,
    );
  }
  return plan;
}

function warnOfSkipped(deps: StepDeps, { count, names }: Skipped): void {
  for (const { name, reason } of names) deps.log.warn('not a file of a source', { name, reason });
  if (count > names.length) deps.log.warn('more names are not files of a source', { names: count - names.length });
}

/** A plan, and the files that it names by reference. */
type Planned = { readonly plan: RunPlan; readonly files: Work['files'] };

async function planRun(
  deps: StepDeps,
  { branch, ...run }: RunRef & Pick<RunPlan, 'branch'>,
  input: OpenInput,
  survey: Survey,
): Promise<Planned | undefined> {
  if (!run.dry_run) await renameEtags(deps, run.pipeline, survey.renamed);
  const about = selectedOf(survey);
  const stuck = findStuck(deps, about, survey.tables, survey.changes);
  checkChanges({ spec: about, changes: survey.changes, stuck }, input);
  const work = await chooseWork(deps, survey, input);
  checkModes(without(selectedOf(survey), work.anew), survey.tables, work.rebuild);
  const checks = isPlain(input) ? checksDue(survey.changes) : [];
  const lists = listFiles(selectedOf(survey), work.files);
  const taken = new Set([...work.files].flatMap(([model, files]) => files.map(({ key }) => `${model} ${key}`)));
  const count = lists.reduce((sum, { files }) => sum + files.length, 0);
  // A period in which nothing has changed is done as well.
  const shadows = shadowsAsked(survey, input);
  const there = shadows?.filter(({ model }) => survey.tables.get(model) !== undefined) ?? [];
  const nothing = count + work.rebuild.length + survey.stale.size + checks.length + there.length === 0;
  const serves = isPlain(input) && !run.dry_run && (await servesBehind(deps.store, survey.spec, survey.tables));
  if (nothing && branch === undefined && !serves) return undefined;
  const plan: RunPlan = {
    run,
    created_at: deps.clock.now().toISOString(),
    spec: withoutSeedTexts(survey.spec),
    tables: Object.fromEntries([...survey.tables, ...survey.others].map(([id, table]) => [id, baseTable(table)])),
    ...planFiles(run, lists),
    planning_ms: survey.ms,
    quarantine: baseTable(survey.quarantine),
    ...(deps.settings.unitBytes === undefined ? {} : { unit_bytes: deps.settings.unitBytes }),
    rebuild: work.rebuild,
    withdraw: work.withdraw,
    ...(work.withdraw_from && { withdraw_from: work.withdraw_from }),
    ...(work.anew.length === 0 ? {} : { anew: work.anew }),
    ...(work.window === undefined ? {} : { window: work.window }),
    ...(checks.length === 0 ? {} : { checks }),
    ...(branch === undefined ? {} : { branch }),
    ...(survey.selection && { selected: survey.selection.models }),
    skipped: survey.skipped,
    suspended: nameSuspended(
      survey.aside.filter(({ file, models }) => !models.every((model) => taken.has(`${model} ${file.key}`))),
    ),
    ...(survey.removed.length === 0 ? {} : { removed: survey.removed }),
    ...(shadows === undefined ? {} : { shadows }),
  };
  return { plan, files: work.files };
}

/**
 * Writes the plan, and before it seeds and the lists of files. A plan that stands there although no pointer led to it was left by
 * an attempt at this very run that was overtaken before it published anything; what it wrote goes.
 */
async function record(deps: StepDeps, spec: PipelineSpec, { plan, files }: Planned): Promise<void> {
  for (;;) {
    const landed = await landSeeds(deps, plan.run, spec, files);
    for (const list of listFiles(inPlan(spec, plan), landed)) await writeLists(deps, plan.run, list);
    const found = await writePlan(deps, plan);
    if (found === plan) return;
    await discardRun(deps.store, found);
  }
}

function inPlan(spec: PipelineSpec, { selected }: RunPlan): PipelineSpec {
  return selected === undefined ? spec : { ...spec, models: spec.models.filter(({ id }) => selected.includes(id)) };
}

/** A table that is made anew may have been made by any mode. */
function without(spec: PipelineSpec, anew: readonly string[]): PipelineSpec {
  return { ...spec, models: spec.models.filter(({ id }) => !anew.includes(id)) };
}

function baseTable(table: KnownTable | undefined): BaseTable | null {
  if (table === undefined) return null;
  const snapshot = currentSnapshot(table.metadata);
  return {
    metadata_location: table.location,
    snapshot_id: snapshot === undefined ? null : snapshot['snapshot-id'].toString(),
  };
}
