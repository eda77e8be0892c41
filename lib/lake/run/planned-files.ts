import type { LandedFile, PlannedSource, RunPlan } from '../../core/run.ts';
import type { SilverModel } from '../../core/spec.ts';
import type { ObjectStore } from '../../ports.ts';
import { readJson } from './run-folder.ts';

type Reader = Pick<SilverModel, 'id' | 'from'>;

/** The files that a run takes for a model. */
export async function plannedFiles(
  store: ObjectStore,
  plan: Pick<RunPlan, 'sources' | 'own_files'>,
  model: Reader,
): Promise<readonly LandedFile[]> {
  const listed = listedFor(plan, model);
  return listed === undefined ? [] : readJson<readonly LandedFile[]>(store, listed.files_key);
}

function listedFor(
  { sources, own_files = {} }: Pick<RunPlan, 'sources' | 'own_files'>,
  model: Reader,
): PlannedSource | undefined {
  if (Object.hasOwn(own_files, model.id)) return own_files[model.id] ?? undefined;
  return Object.hasOwn(sources, model.from) ? sources[model.from] : undefined;
}

/** Whether a run is to leave a silver model as it is, whatever waits for it. */
export function isLeftAlone(
  { selected, own_files = {} }: Pick<RunPlan, 'selected' | 'own_files'>,
  { id }: Pick<Reader, 'id'>,
): boolean {
  return selected?.includes(id) === false || (Object.hasOwn(own_files, id) && own_files[id] === null);
}

/** The silver models that take part in a run, of those that read a source. */
export function readersIn(plan: RunPlan, source: string): readonly SilverModel[] {
  return plan.spec.models.filter(
    (model): model is SilverModel => model.layer === 'silver' && model.from === source && !isLeftAlone(plan, model),
  );
}

/** The plan as it is for one model: what is withdrawn from others is none of its concern. */
export function planFor(plan: RunPlan, model: string): RunPlan {
  return plan.withdraw_from?.includes(model) === false ? { ...plan, withdraw: [] } : plan;
}
