import { bucketsFor, packUnits, parsedBytes } from '../core/planning.ts';
import type { LandedFile, LevelPlan, ModelPlan, RunPlan, RunState, StageUnit } from '../core/run.ts';
import { type GoldModel, modelId, type SilverModel, type SourceSpec } from '../core/spec.ts';
import type { TableMetadata } from '../iceberg/types.ts';
import type { StepDeps } from './deps.ts';
import { evolveContract } from './drift.ts';
import { goldReason } from './gold-inputs.ts';
import { readJson, readJsonIfAny, readPlan, runFolder, writeJson, writeOnce } from './run-folder.ts';
import { findModel, loadState, tableColumns, tableIdOf } from './table-state.ts';

/** Plans a level: which models have something to do, and the units that do it. Repeating it finds the first plan. */
export async function runPlanStage(state: RunState, deps: StepDeps): Promise<RunState> {
  const { run, level } = state;
  const plan = await readPlan(deps.store, run);
  const existing = await readJsonIfAny<LevelPlan>(deps.store, runFolder.levelPlan(run, level));
  const levelPlan = existing ?? (await planLevel(deps, plan, level));
  const items = levelPlan.models.flatMap((m) => m.units.map((unit) => ({ level, unit })));
  const units_key = runFolder.stageUnits(run, level);
  await writeJson(deps.store, units_key, items);
  return { ...state, stage: { units_key, count: items.length } };
}

async function planLevel(deps: StepDeps, plan: RunPlan, level: number): Promise<LevelPlan> {
  const started = deps.clock.now().getTime();
  const models: ModelPlan[] = [];
  for (const id of plan.spec.levels[level] ?? []) {
    const model = findModel(plan.spec, id);
    const planned =
      model.layer === 'silver' ? await planSilver(deps, plan, level, model) : await planGold(deps, plan, level, model);
    if (planned !== undefined) models.push(planned);
  }
  const ms = deps.clock.now().getTime() - started;
  return writeOnce(deps.store, runFolder.levelPlan(plan.run, level), { level, models, ms });
}

/** A silver model has work when its source has new files, or when its table has yet to be created. */
async function planSilver(
  deps: StepDeps,
  plan: RunPlan,
  level: number,
  model: SilverModel,
): Promise<ModelPlan | undefined> {
  const source = plan.sources[model.from];
  const files = source === undefined ? [] : await readJson<LandedFile[]>(deps.store, source.files_key);
  if (files.length === 0 && plan.tables[model.id] !== null) return undefined;
  const packed = packUnits(files, plan.spec.settings.unitBytes);
  const units = packed.map((members, ordinal) => stageUnit(model.id, ordinal, members));
  for (const unit of units) await writeOnce(deps.store, runFolder.unit(plan.run, level, unit.unit), unit);
  const contract = await evolveContract(deps, sourceOf(plan, model), model, files);
  const known = new Set(tableColumns(model).map((c) => c.name));
  const added = contract.columns.filter((c) => model.selectsAll && !known.has(c.name));
  const bytes = files.reduce((sum, file) => sum + parsedBytes(file), 0);
  return {
    model: model.id,
    table: tableIdOf(plan.spec, model),
    columns: [...tableColumns(model), ...added.map(({ name, type }) => ({ name, type }))],
    contract,
    uuid: deps.ids.uuid(),
    units: units.map((u) => u.unit),
    output: units.length > 1 && model.mode.kind === 'append' && model.mode.dedupe !== null ? 'exchange' : 'final',
    buckets: bucketsFor(bytes, plan.spec.settings.unitBytes),
    reason: null,
  };
}

async function planGold(
  deps: StepDeps,
  plan: RunPlan,
  level: number,
  model: GoldModel,
): Promise<ModelPlan | undefined> {
  const states = new Map<string, TableMetadata | undefined>();
  for (const id of [model.id, ...model.reads.map(modelId)]) states.set(id, await loadState(deps.store, plan, id));
  const reason = goldReason(model, states.get(model.id), states);
  if (reason === undefined) return undefined;
  const unit = stageUnit(model.id, 0, []);
  await writeOnce(deps.store, runFolder.unit(plan.run, level, unit.unit), unit);
  return {
    model: model.id,
    table: tableIdOf(plan.spec, model),
    columns: model.columns,
    contract: null,
    uuid: deps.ids.uuid(),
    units: [unit.unit],
    output: 'final',
    buckets: 1,
    reason,
  };
}

function stageUnit(model: string, ordinal: number, files: readonly LandedFile[]): StageUnit {
  return { unit: `${model}-${String(ordinal).padStart(5, '0')}`, model, ordinal, files };
}

function sourceOf(plan: RunPlan, model: SilverModel): SourceSpec {
  const source = plan.spec.sources.find((s) => s.name === model.from);
  if (source === undefined) throw new RangeError(`${model.id} reads source ${model.from}, which the plan lacks`);
  return source;
}
