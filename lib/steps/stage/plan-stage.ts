import { countRanges } from '../../core/key-ranges.ts';
import { isKeyed, type KeyedModel, logModelId } from '../../core/keyed.ts';
import { objectName } from '../../core/objects.ts';
import { times } from '../../core/requests.ts';
import type { LandedFile, LevelPlan, ModelPlan, RunPlan, RunState, StageUnit } from '../../core/run.ts';
import type { GoldModel, ModelSpec, SilverModel, SourceSpec } from '../../core/spec.ts';
import type { Column } from '../../core/types.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { keepFiles, lendingKept, readKept } from '../../lake/files/keep-files.ts';
import { RECORDING, startMeasuring } from '../../lake/run/measure.ts';
import { ofPipeline } from '../../lake/run/personal-errors.ts';
import { isLeftAlone, plannedFiles } from '../../lake/run/planned-files.ts';
import { readJsonIfAny, readPlan, runFolder, writeJson, writeOnce } from '../../lake/run/run-folder.ts';
import { goldReason } from '../../lake/tables/gold-inputs.ts';
import { plannedRanges } from '../../lake/tables/key-ranges.ts';
import { keyedShapes, planLayout, settleShape, shapeOf } from '../../lake/tables/table-shape.ts';
import { findModel, isAnew, loadBase, loadStates, tableColumns } from '../../lake/tables/table-state.ts';
import { findTouched } from '../../lake/tables/touched.ts';
import { writeProperties } from '../../lake/tables/write-mode.ts';
import { exchangeBuckets, likelyTableBytes } from '../../plan/buckets.ts';
import { fitsOneCall } from '../../plan/one-call.ts';
import { isCut, MOST_PARTS, packFiles, parsedBytesOf, partBytesOf, unitSettings } from '../../plan/stage-units.ts';
import { planShadows } from '../shadow/plan-shadows.ts';
import { cutFiles } from './cut-files.ts';
import { evolveContract } from './drift.ts';
import { handsOn } from './engine/hands-on.ts';
import { evolvedGold } from './evolved-gold.ts';
import { planUnits } from './ladder/plan-ladder.ts';

/** Plans a level: which models have something to do, and the units that do it. Repeating it finds the first plan. */
export async function runPlanStage(state: RunState, deps: StepDeps): Promise<RunState> {
  const { run, level } = state;
  const plan = await readPlan(deps.store, run);
  const existing = await readJsonIfAny<LevelPlan>(deps.store, runFolder.levelPlan(run, level));
  const measure = startMeasuring(deps);
  const levelPlan = existing ?? (await planLevel(ofPipeline(deps, plan.spec), plan, level, measure));
  const units = [...levelPlan.models.flatMap((model) => model.units), ...(levelPlan.shadows ?? [])];
  const items = units.map((unit) => ({ level, unit }));
  const fits = fitsOneCall(levelPlan.models, unitSettings(plan)) && !handsOn(plan, levelPlan);
  const alone = fits && !(existing && (await wasLeft(deps, state)));
  const units_key = runFolder.stageUnits(run, level);
  await writeJson(deps.store, units_key, items);
  return { ...state, stage: { units_key, count: items.length, ...(alone ? { alone } : {}) } };
}

/** Whether a worker has ended at a unit of the level without an answer: another with more on its hands shall not begin it. */
async function wasLeft({ store }: StepDeps, { run, level }: RunState): Promise<boolean> {
  return (await store.names(runFolder.attempts(run, level))).length > 0;
}

/** The plan, and the list of units that is written after it. */
const AFTER_LEVEL = times(RECORDING, 2);

async function planLevel(
  deps: StepDeps,
  plan: RunPlan,
  level: number,
  measure: ReturnType<typeof startMeasuring>,
): Promise<LevelPlan> {
  const models: ModelPlan[] = [];
  for (const id of plan.spec.levels[level] ?? []) {
    if (plan.selected?.includes(id) === false) continue;
    const model = findModel(plan.spec, id);
    const planned =
      model.layer === 'silver' ? await planSilver(deps, plan, level, model) : await planGold(deps, plan, level, model);
    if (planned !== undefined) models.push(planned);
  }
  const shadows = await planShadows(deps, plan, level);
  const levelPlan = { level, models, ...shadows, ...measure(AFTER_LEVEL) };
  return writeOnce(deps.store, runFolder.levelPlan(plan.run, level), levelPlan);
}

/** A silver model has work when its source has new files, when its table has yet to be created or to be rebuilt. */
async function planSilver(
  deps: StepDeps,
  plan: RunPlan,
  level: number,
  model: SilverModel,
): Promise<ModelPlan | undefined> {
  const files = await plannedFiles(deps.store, plan, model);
  const rebuild = plan.rebuild.includes(model.id);
  const anew = isAnew(plan, model.id);
  const stays = plan.tables[model.id] !== null || plan.rebuild.length > 0 || isLeftAlone(plan, model);
  if (files.length === 0 && stays && !rebuild) return planCheck(deps, plan, model);
  const { contract, files: pieces, ...reading } = await planReading(deps, plan, model, files);
  const packed = packFiles(model, pieces, unitSettings(plan));
  const batches = anew ? packed.map(([first]) => first?.batch ?? 0) : undefined;
  const inTurn = pieces.some((file) => file.in_turn);
  // Parts that one unit takes in turn stand between it and the next.
  const apart = inTurn ? MOST_PARTS : 1;
  const units = packed.map((members, nth) => ({ ...stageUnit(model.id, nth, members), ordinal: nth * apart }));
  for (const unit of units) await writeOnce(deps.store, runFolder.unit(plan.run, level, unit.unit), unit);
  const known = new Set(tableColumns(model).map((c) => c.name));
  const added = contract.columns
    .filter((c) => model.selectsAll && !known.has(c.name))
    .map(({ name, type }) => ({ name, type }));
  const bytes = parsedBytesOf(files);
  const names = units.map((u) => u.unit);
  const common = {
    model: model.id,
    columns: [...model.columns, ...added],
    contract,
    units: names,
    bytes,
    ...(batches && { batches, mode: model.mode.kind }),
    rebuild,
    reason: null,
    touched: null,
    ...reading,
  };
  return isKeyed(model)
    ? {
        ...common,
        ...(await planKeyed(
          deps,
          plan,
          { ...model, columns: common.columns },
          likelyTableBytes(bytes, contract.format),
          rebuild,
        )),
      }
    : { ...common, ...(await planRows(deps, plan, model, added, { bytes, parted: inTurn || units.length > 1 })) };
}

type Reading = Pick<ModelPlan, 'left' | 'refused' | 'too_wide' | 'kept_key'> & {
  readonly contract: SourceSpec;
  readonly files: readonly LandedFile[];
};

/** What a model's files are read as: their parts and contract, copies where several models read them, and which are left. */
async function planReading(
  deps: StepDeps,
  plan: RunPlan,
  model: SilverModel,
  files: readonly LandedFile[],
): Promise<Reading> {
  const kept_key = files.length === 0 ? undefined : await keepFiles(deps, plan, model.from);
  const kept = await readKept(deps.store, kept_key);
  const own = new Set(files.map(objectName));
  const lost = (kept?.left ?? []).filter((file) => own.has(objectName(file)));
  const gone = new Set(lost.map(objectName));
  const lending = { ...deps, store: { ...deps.store, ...lendingKept(deps.store, kept) } };
  const source = sourceOf(plan, model);
  const reading = { store: deps.store, log: deps.log, kept };
  const cut = await cutFiles(reading, { source, model }, { files, gone }, partBytesOf(plan));
  const unread = new Set([...gone, ...[...cut.left, ...cut.refused].map(objectName)]);
  const there = cut.files
    .filter((file) => !unread.has(objectName(file)))
    .map((file) => lookedAt(file, source, deps.store.room));
  const { value: evolved, left: since } = await evolveContract(lending, source, model, {
    files: there,
    kept,
    partBytes: partBytesOf(plan),
    base: await loadBeside(deps, plan, model),
  });
  const { contract, tooWide } = evolved;
  const left = [...lost, ...cut.left, ...since];
  return {
    contract,
    files: cut.files,
    ...(cut.refused.length === 0 ? {} : { refused: cut.refused }),
    ...(left.length === 0 ? {} : { left }),
    ...(tooWide.length === 0 ? {} : { too_wide: tooWide }),
    ...(kept_key === undefined ? {} : { kept_key }),
  };
}

/** A file of which there can be no copy here is looked at part by part, although its rows are staged together. */
function lookedAt(file: LandedFile, { format }: SourceSpec, room: number | undefined): LandedFile {
  const fits = isCut(file) || format.kind === 'parquet' || file.size <= (room ?? file.size);
  return fits ? file : { ...file, in_turn: true };
}

/** The table beside whose rows new ones stand, of a keyed model its log, which keeps all columns; none where all rows are made anew. */
async function loadBeside(deps: StepDeps, plan: RunPlan, model: SilverModel): Promise<TableMetadata | undefined> {
  if (model.mode.kind === 'full' || (isAnew(plan, model.id) && plan.window === undefined)) return undefined;
  return loadBase(deps.store, plan, isKeyed(model) ? logModelId(model) : model.id);
}

type TablePlan = Pick<ModelPlan, 'shape' | 'log' | 'output' | 'buckets' | 'ranges' | 'grown_from'>;

async function planRows(
  deps: StepDeps,
  plan: RunPlan,
  model: SilverModel,
  added: readonly Column[],
  work: { readonly bytes: number; readonly parted: boolean },
): Promise<TablePlan> {
  const dedupes = model.mode.kind === 'append' && model.mode.dedupe !== null;
  const shape = {
    ...shapeOf(deps, plan.spec, model, added),
    whole: model.mode.kind === 'full' || (isAnew(plan, model.id) && plan.window === undefined),
  };
  return {
    shape: settleShape(deps.store, await loadBase(deps.store, plan, model.id), shape),
    log: null,
    output: work.parted && dedupes ? 'exchange' : 'final',
    buckets: exchangeBuckets(work.bytes, unitSettings(plan).unitBytes),
  };
}

/**
 * A rebuild gives the table the columns of the model alone, and the bucket count that it asks for, or needs, now. Other runs keep the
 * table's bucket count, and its rows have the columns that only the table has. The log keeps all that events ever had.
 */
async function planKeyed(
  deps: StepDeps,
  plan: RunPlan,
  model: KeyedModel,
  bytes: number,
  rebuild: boolean,
): Promise<TablePlan & Pick<ModelPlan, 'columns'>> {
  const base = await loadBase(deps.store, plan, model.id);
  const anew = isAnew(plan, model.id);
  const work = { bytes, rebuild, anew, window: plan.window !== undefined };
  const { layout, ...grown } = planLayout(plan.spec, model, base, work);
  const ranges = layout === 'ranges' ? await plannedRanges(deps.store, plan, model, rebuild) : undefined;
  const shapes = keyedShapes(deps, plan.spec, model, layout);
  const properties = { ...shapes.shape.properties, ...writeProperties(model, base) };
  const shape = settleShape(deps.store, base, { ...shapes.shape, properties, whole: rebuild || anew });
  const kept = shape.kept ?? [];
  const columns = [...model.columns, ...kept];
  const wanted = { ...shapes.log, columns: [...shapes.log.columns, ...kept], whole: anew };
  const log = settleShape(deps.store, await loadBase(deps.store, plan, logModelId(model)), wanted);
  const places = ranges === undefined ? { buckets: Number(layout) } : { buckets: countRanges(ranges), ranges };
  return {
    columns,
    shape,
    log,
    output: 'keyed',
    ...places,
    ...grown,
  };
}

async function planGold(
  deps: StepDeps,
  plan: RunPlan,
  level: number,
  model: GoldModel,
): Promise<ModelPlan | undefined> {
  const states = await loadStates(deps.store, plan, [{ layer: 'gold', name: model.name }, ...model.reads]);
  const reason = goldReason(plan.spec, model, states);
  if (reason === undefined) return planCheck(deps, plan, model);
  const touched = await findTouched(deps, plan.spec, model, states);
  const evolved = await evolvedGold(deps, plan.spec, model, states);
  const { work, planned } = await planUnits(deps, plan, model, { states, touched, also: evolved?.reads_also });
  const units = work.map((own, i) => ({ ...stageUnit(model.id, i, []), ...own }));
  for (const unit of units) await writeOnce(deps.store, runFolder.unit(plan.run, level, unit.unit), unit);
  const added = evolved?.added ?? [];
  const shape = { ...shapeOf(deps, plan.spec, model, added), whole: touched === null };
  return {
    model: model.id,
    columns: [...model.columns, ...added],
    ...(evolved && { reads_also: evolved.reads_also }),
    shape: settleShape(deps.store, states.get(model.id), shape),
    log: null,
    contract: null,
    units: units.map((u) => u.unit),
    ...planned,
    buckets: 1,
    rebuild: false,
    reason,
    touched,
  };
}

/** A table to which nothing is written may be asked about expectations of now. */
function planCheck(deps: StepDeps, plan: RunPlan, model: ModelSpec): ModelPlan | undefined {
  if (plan.checks?.includes(model.id) !== true) return undefined;
  return {
    model: model.id,
    columns: model.columns,
    shape: shapeOf(deps, plan.spec, model, []),
    log: null,
    contract: null,
    units: [],
    output: 'final',
    buckets: 1,
    rebuild: false,
    check: true,
    reason: null,
    touched: null,
  };
}

function stageUnit(model: string, ordinal: number, files: readonly LandedFile[]): StageUnit {
  return { unit: `${model}-${String(ordinal).padStart(5, '0')}`, model, ordinal, files, partitions: null };
}

function sourceOf(plan: RunPlan, model: SilverModel): SourceSpec {
  const source = plan.spec.sources.find((s) => s.name === model.from);
  if (source === undefined) throw new RangeError(`${model.id} reads source ${model.from}, which the plan lacks`);
  return source;
}
