import type { Asked } from '../core/asked.ts';
import { InvalidInput } from '../core/errors.ts';
import { isKeyed } from '../core/keyed.ts';
import type { BranchDone } from '../core/schedule/periods.ts';
import type { PipelineSpec } from '../core/spec.ts';
import { currentSpec, partitionTuple } from '../iceberg/partition.ts';
import { partitionPath } from '../iceberg/partition-path.ts';
import { currentSchema } from '../iceberg/schema.ts';
import type { TableMetadata } from '../iceberg/types.ts';
import type { StepDeps } from '../lake/deps.ts';
import { requireNoRollback } from '../lake/maintain/rollback.ts';
import { choosePeriod } from '../lake/ops/branches/choose-period.ts';
import { isPlain, refusedChanges } from '../lake/ops/due.ts';
import { nameSuspended } from '../lake/ops/set-aside.ts';
import { filesAnew, type Survey, selectedOf, statesOf, surveyPipeline } from '../lake/ops/survey.ts';
import { readOpenRun } from '../lake/run/open-run.ts';
import { runFolder } from '../lake/run/run-folder.ts';
import { knowingVars } from '../lake/run/vars.ts';
import { servedBehind } from '../lake/serve/served.ts';
import { findStuck } from '../lake/tables/apart.ts';
import { checkModes, findModeConflicts } from '../lake/tables/table-mode.ts';
import { keyedShapes, layoutOf, planLayout, settleShape, shapeOf } from '../lake/tables/table-shape.ts';
import { findTouched } from '../lake/tables/touched.ts';
import { type Explanation, explainRun } from '../plan/explain.ts';
import { listFiles } from '../plan/file-lists.ts';
import { withRungs } from './ladder/plan-rungs.ts';

/**
 * What a run of the pipeline would do now. Takes no lock and writes nothing. Throws InvalidInput for an unknown pipeline
 * and for tables that other modes made and that do not remember it, AuditFailed for those that cannot take the columns of what waits.
 */
export async function planRun(deps: StepDeps, pipeline: string, asked: Asked = {}): Promise<Explanation> {
  return explainSurvey(deps, await surveyAsked(deps, pipeline, asked), asked);
}

/** Of a run of a branch: for the first period that it would do. Throws InvalidInput where there is none. */
export async function surveyAsked(deps: StepDeps, pipeline: string, asked: Asked): Promise<Survey> {
  const spec = await deps.specs(pipeline);
  const chosen = await choosePeriod(deps, spec, { ...asked, run_id: 'planned', dry_run: true });
  if (chosen?.kind === 'nothing') throw new InvalidInput(notDue(pipeline, chosen.done));
  return surveyPipeline(deps, pipeline, { ...asked, ...(chosen && { period: chosen.branch.period }) });
}

function notDue(pipeline: string, { name, period, why }: BranchDone): string {
  const what = period === null ? 'none has begun' : `${period} ${why === 'done' ? 'is done' : 'was missed'}`;
  return `no period of the branch ${name} of ${pipeline} is due: ${what}; expected --period with one that is not done`;
}

/** The same for a pipeline that has been surveyed. */
export async function explainSurvey(deps: StepDeps, survey: Survey, asked: Asked = {}): Promise<Explanation> {
  const about = selectedOf(survey);
  const due = new Set(survey.taken?.files.keys());
  const staying = { ...about, models: about.models.filter(({ id }) => !due.has(id)) };
  const refused = findRefused(deps, survey, { about, staying }, asked);
  const sure = { ...staying, models: staying.models.filter(({ id }) => !refused.has(id)) };
  checkModes(sure, survey.tables, []);
  checkColumns(deps, { ...survey, spec: sure });
  const existing = [...survey.tables].flatMap(([id, table]) => (table === undefined ? [] : [id]));
  const files = filesAnew(survey);
  const explanation = explainRun({
    ...survey,
    waiting: new Map(listFiles(about, files).map((one) => [one.source, one.files])),
    files,
    refused,
    due,
    existing: new Set(existing),
    touched: await touchedPartitions(deps, survey),
    growing: findGrowing(sure, survey, asked),
    unfinished: await unfinishedRun(deps, survey.spec.name),
    suspended: nameSuspended(survey.aside),
    ...(asked.branch && { branch: asked.branch }),
    ...(isPlain(asked) && { behind: await servedBehind(deps.store, survey.spec, survey.tables) }),
    ...(survey.selection && { selection: survey.selection }),
  });
  return withRungs(deps, survey, explanation);
}

/** A run of some partitions of a time alone keeps what buckets there are. */
function findGrowing(
  spec: PipelineSpec,
  { tables }: Pick<Survey, 'tables'>,
  { backfill }: Asked,
): ReadonlyMap<string, readonly [from: number, to: number]> {
  const window = backfill?.from !== undefined || backfill?.to !== undefined;
  return new Map(
    spec.models.filter(isKeyed).flatMap((model) => {
      const work = { bytes: 0, rebuild: false, anew: false, window };
      const { layout, grown_from } = planLayout(spec, model, tables.get(model.id)?.metadata, work);
      return layout === 'ranges' || grown_from === undefined ? [] : [[model.id, [grown_from, layout]] as const];
    }),
  );
}

/** By the id of a model at whose change a run stops: what can be done. */
function findRefused(
  deps: StepDeps,
  { changes, tables, taken }: Pick<Survey, 'changes' | 'tables' | 'taken'>,
  { about, staying }: { readonly about: PipelineSpec; readonly staying: PipelineSpec },
  asked: Asked,
): ReadonlyMap<string, string> {
  const anew = `strata backfill ${about.name}`;
  const choice = `choose: ${anew}, or strata run ${about.name} --forward-only`;
  const gone = taken?.gone.length ?? 0;
  const missing = `${gone} files that were ingested are not in bronze as they were; restore them, or ${anew} --allow-missing`;
  const without = gone === 0 || asked.backfill?.allow_missing === true ? [] : [...(taken?.files.keys() ?? [])];
  // A table that does not remember what made it has no change of which the reason could be told: it is thrown.
  const known = new Set(changes.map(({ model }) => model));
  const modes = findModeConflicts(staying, tables).filter(({ model }) => known.has(model));
  return new Map([
    ...modes.map(({ model, cure }) => [model, cure] as const),
    ...refusedChanges({ spec: about, changes }, asked).map(
      ({ model, apart }) => [model, apart === true ? anew : choice] as const,
    ),
    ...without.map((model) => [model, missing] as const),
    ...findStuck(deps, about, tables, changes),
  ]);
}

function checkColumns(deps: StepDeps, { spec, tables, waiting }: Survey): void {
  for (const model of spec.models) {
    const base = tables.get(model.id)?.metadata;
    if (model.layer !== 'silver' || model.mode.kind === 'full' || (waiting.get(model.id) ?? []).length === 0) continue;
    const shape = isKeyed(model)
      ? keyedShapes(deps, spec, model, layoutOf(model, base, 0)).shape
      : shapeOf(deps, spec, model, []);
    settleShape(deps.store, base, shape);
  }
}

/** The run that died or failed while it published; the next run of the pipeline finishes it. */
export async function unfinishedRun(deps: Pick<StepDeps, 'store'>, pipeline: string): Promise<string | null> {
  const open = (await readOpenRun(deps.store, { pipeline })).run;
  await requireNoRollback(deps.store, open);
  if (open === undefined || (await deps.store.head(runFolder.plan(open))) === undefined) return null;
  return (await deps.store.head(runFolder.result(open))) === undefined ? open.run_id : null;
}

/** By id: the partitions of stale gold models that changes of their input touch, found as a run finds them. */
async function touchedPartitions(
  deps: StepDeps,
  { spec, stale, ...survey }: Survey,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const states = statesOf(survey);
  const touched = new Map<string, readonly string[]>();
  for (const model of spec.models) {
    const gold = states.get(model.id);
    if (model.layer !== 'gold' || gold === undefined || !stale.has(model.id)) continue;
    const partitions = await findTouched(knowingVars(deps, spec), spec, model, states);
    if (partitions !== null) touched.set(model.id, renderPaths(gold, partitions));
  }
  return touched;
}

function renderPaths(metadata: TableMetadata, partitions: readonly (readonly (string | null)[])[]): readonly string[] {
  const [spec, schema] = [currentSpec(metadata), currentSchema(metadata)];
  return partitions.map((texts) => partitionPath(spec, schema, partitionTuple(spec, schema, texts))).sort();
}
