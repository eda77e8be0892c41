import type { Asked } from '../core/asked.ts';
import type { Due } from '../core/maintenance-due.ts';
import type { Awaiting } from '../core/promote.ts';
import type { RunPlan, RunResult } from '../core/run.ts';
import { modelId } from '../core/spec.ts';
import { fullName } from '../core/tables.ts';
import type { StepDeps } from '../lake/deps.ts';
import { lookForDue } from '../lake/maintain/due.ts';
import { findTaken } from '../lake/ops/ledger.ts';
import { filesAnew, type Survey, takenFor } from '../lake/ops/survey.ts';
import { plannedFiles, readersIn } from '../lake/run/planned-files.ts';
import { readJsonIfAny, readPlanIfAny, runFolder } from '../lake/run/run-folder.ts';
import { sizeOf } from '../lake/tables/table-size.ts';
import { modelTables } from '../lake/tables/table-state.ts';
import { type ChangeFacts, type ChangeWork, workOfChange } from '../plan/change-work.ts';
import { type CostEstimate, estimateRun } from '../plan/cost.ts';
import type { ExplainedChange, Explanation } from '../plan/explain.ts';
import { listFiles } from '../plan/file-lists.ts';
import { type IdleCost, idleCost, standingOf } from '../plan/idle-cost.ts';
import { ASSUMED_RATES, type Rates, type Size, workOf } from '../plan/run-work.ts';
import { parsedBytesOf } from '../plan/stage-units.ts';
import { awaitingRun } from './gate/awaiting-runs.ts';
import { listRuns } from './list-runs.ts';
import { explainSurvey, surveyAsked } from './plan-run.ts';

/** An explained run with its cost on AWS; null when there is no work whose cost could be told. */
export type PlannedRun = Omit<Explanation, 'changes'> & {
  readonly cost: CostEstimate | null;
  readonly changes: readonly PlannedChange[];
  /** The maintenance that the tables need as they are; it follows the next run that changes something. */
  readonly maintenance: readonly Due[];
  /** What the deployed pipeline costs while nothing lands. */
  readonly idle: IdleCost;
  /** The run that waits to be decided about, which is the one that `resumes` names; left out: none does. */
  readonly awaiting?: Awaiting;
};

export type PlannedChange = ExplainedChange & {
  /** What making the rows anew takes, whether a run does it or somebody has to choose it; null where rows stay. */
  readonly work: ChangeWork | null;
};

/**
 * What a run of the pipeline would do now, what has changed, and what both would take on AWS. Staging takes as long as it
 * took in the latest run that is worth measuring, where there is one. Writes nothing. Throws InvalidInput for an unknown
 * pipeline.
 */
export async function planWithCost(deps: StepDeps, pipeline: string, asked: Asked = {}): Promise<PlannedRun> {
  const survey = await surveyAsked(deps, pipeline, asked);
  const maintenance = await lookForDue(deps, survey.spec);
  const idle = idleCost(standingOf(survey.spec));
  const explained = await explainWithCost(deps, survey, asked);
  const waits = explained.resumes === null ? undefined : await awaitingRun(deps, pipeline, deps.clock.now());
  return { ...explained, maintenance, idle, ...(waits && { awaiting: waits.awaiting }) };
}

async function explainWithCost(
  deps: StepDeps,
  survey: Survey,
  asked: Asked,
): Promise<Omit<PlannedRun, 'maintenance' | 'idle' | 'awaiting'>> {
  const explanation = await explainSurvey(deps, survey, asked);
  if (explanation.levels.length === 0 && explanation.changes.length === 0) {
    return { ...explanation, changes: [], cost: null };
  }
  const measured = await measureStaging(deps, survey.spec.name);
  const options = measured === undefined ? {} : { rates: measured.rates, measuredIn: measured.run };
  const sizes = await tableSizes(deps, survey);
  const changes = await withWork(deps, survey, explanation.changes, { sizes, cost: options });
  if (explanation.levels.length === 0) return { ...explanation, changes, cost: null };
  const work = workOf(survey.spec, explanation, sizes);
  return { ...explanation, changes, cost: estimateRun(work, survey.spec.compute, options) };
}

async function withWork(
  deps: StepDeps,
  survey: Survey,
  changes: readonly ExplainedChange[],
  known: Pick<ChangeFacts, 'sizes' | 'cost'>,
): Promise<readonly PlannedChange[]> {
  const { spec, tables } = survey;
  const existing = new Set([...tables].flatMap(([id, table]) => (table === undefined ? [] : [id])));
  const files = changes.some(({ kind }) => kind === 'backfill')
    ? await allLanded(deps, survey, existing)
    : survey.waiting;
  const landed = new Map(listFiles(spec, files).map((one) => [one.source, one.files]));
  const facts = { spec, existing, landed, ...known };
  return changes.map((change) => ({ ...change, work: workOfChange(change, facts) }));
}

/** By silver model: what runs have taken for its table, and what waits. */
async function allLanded(
  deps: StepDeps,
  { spec, waiting }: Survey,
  existing: ReadonlySet<string>,
): Promise<Survey['waiting']> {
  await using session = await deps.engine.open(deps.settings);
  const silver = spec.models.filter((model) => model.layer === 'silver');
  return filesAnew({ taken: await findTaken(deps, session, spec, takenFor(spec, silver, existing)), waiting });
}

async function tableSizes(deps: StepDeps, { spec, tables, others }: Survey): Promise<ReadonlyMap<string, Size>> {
  const sizes = new Map<string, Size>();
  for (const [id, table] of modelTables(spec)) {
    const metadata = tables.get(id)?.metadata;
    if (metadata !== undefined) sizes.set(fullName(table), await sizeOf(deps, metadata));
  }
  for (const other of spec.others ?? []) {
    const pinned = others.get(modelId(other));
    if (pinned !== undefined) sizes.set(fullName(other), await sizeOf(deps, pinned.metadata));
  }
  return sizes;
}

/** Less says more of what a start costs than of how fast text is parsed. */
const WORTH_MEASURING = { bytes: 5_000_000, ms: 500, runs: 5 } as const;

/** How fast a vCPU of this machine staged the files of the latest run that had enough of them. */
async function measureStaging(
  deps: StepDeps,
  pipeline: string,
): Promise<{ readonly run: string; readonly rates: Rates } | undefined> {
  const runs = (await listRuns(deps, pipeline)).filter(
    (run) => run['status'] === 'SUCCEEDED' && Number(run['files']) > 0,
  );
  for (const { run_id } of runs.slice(0, WORTH_MEASURING.runs)) {
    const run = { pipeline, run_id: String(run_id), dry_run: false };
    const plan = await readPlanIfAny(deps.store, run);
    const result = await readJsonIfAny<RunResult>(deps.store, runFolder.result(run));
    if (plan === undefined || result === undefined) continue;
    const ms = stagingMs(plan, result);
    const bytes = await plannedBytes(deps, plan);
    if (bytes < WORTH_MEASURING.bytes || ms < WORTH_MEASURING.ms) continue;
    const parse = Math.round(bytes / (ms / 1_000) / deps.settings.threads);
    const bytesPerSecond = { ...ASSUMED_RATES.bytesPerSecond, parse };
    return { run: run.run_id, rates: { ...ASSUMED_RATES, bytesPerSecond } };
  }
  return undefined;
}

/** Of the levels that parse files; gold of the same level, which runs beside it, counts as well. */
function stagingMs({ spec }: RunPlan, { steps }: RunResult): number {
  const silver = new Set(spec.models.filter((model) => model.layer === 'silver').map((model) => model.id));
  return steps
    .filter(({ step, level }) => step === 'Stage' && (spec.levels[level ?? -1] ?? []).some((id) => silver.has(id)))
    .reduce((sum, { ms }) => sum + ms, 0);
}

/** A source is parsed once for each model that takes from it. */
async function plannedBytes(deps: Pick<StepDeps, 'store'>, plan: RunPlan): Promise<number> {
  let bytes = 0;
  for (const source of Object.keys(plan.sources)) {
    for (const model of readersIn(plan, source)) bytes += parsedBytesOf(await plannedFiles(deps.store, plan, model));
  }
  return bytes;
}
