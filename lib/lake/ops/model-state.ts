import { opsTable } from '../../core/ops.ts';
import type { RunPlan } from '../../core/run.ts';
import { type ModelSpec, modelId, type PipelineSpec } from '../../core/spec.ts';
import type { ModelState } from '../../plan/select-models.ts';
import type { Session } from '../../ports.ts';
import { selectSucceeded } from '../../sql/ops-rows.ts';
import { loadTable } from '../../table/read.ts';
import type { StepDeps } from '../deps.ts';
import { readPlanIfAny } from '../run/run-folder.ts';
import { openOps } from './open-ops.ts';

/**
 * Which models are not as they were when they last ran: by the compiled pipelines in the plans of finished runs, each model
 * by the latest that ran it. A run of some models says nothing of the others.
 */
export async function modelState(deps: StepDeps, session: Session, spec: PipelineSpec): Promise<ModelState> {
  const before = new Map<string, string>();
  const unknown = new Set(spec.models.map(modelId));
  for (const run_id of await finishedRuns(deps, session, spec.name)) {
    if (unknown.size === 0) break;
    const plan = await readPlanIfAny(deps.store, { pipeline: spec.name, run_id, dry_run: false });
    if (plan === undefined) continue;
    for (const id of ranIn(plan)) {
      const model = plan.spec.models.find((one) => one.id === id);
      if (!unknown.delete(id) || model === undefined) continue;
      before.set(id, renderModel(plan.spec, model));
    }
  }
  const modified = spec.models.filter((model) => before.get(model.id) !== renderModel(spec, model)).map(modelId);
  return { modified: new Set(modified), fresh: unknown };
}

/** The newest first. */
async function finishedRuns(deps: StepDeps, session: Session, pipeline: string): Promise<readonly string[]> {
  const entry = await loadTable(deps.catalog, opsTable(pipeline, 'runs'));
  if (entry === undefined) return [];
  await using _runs = await openOps(deps.store, session, 'runs', entry.metadata);
  return (await session.rows(selectSucceeded())).map((row) => String(row['run_id']));
}

/**
 * A rebuild and files that are taken again are no run of the models as they stand, unless tables are made anew; nor is a run
 * that looks at some sources alone one of the models of others.
 */
function ranIn({ spec, selected, rebuild, withdraw, anew, sources, own_files = {} }: RunPlan): readonly string[] {
  if (anew === undefined && (rebuild.length > 0 || withdraw.length > 0)) return [];
  const looked = spec.models.filter(
    (model) => model.layer === 'gold' || (Object.hasOwn(sources, model.from) && own_files[model.id] !== null),
  );
  return selected ?? looked.map(modelId);
}

/** All of a model that its rows depend on, its source's contract included. */
function renderModel({ sources }: PipelineSpec, model: ModelSpec): string {
  const {
    description: _text,
    sqlFile: _file,
    tags: _tags,
    branch: _when,
    zorderBy: _layout,
    described: _docs,
    ...texts
  } = model;
  const { implementations: _others, ...rest } = { implementations: undefined, ...texts };
  const source = model.layer === 'silver' ? sources.find(({ name }) => name === model.from) : undefined;
  const { text: _seed, ...seed } = source?.seed ?? {};
  const columns = source?.columns.map(({ description: _said, ...column }) => column);
  return JSON.stringify([rest, source === undefined ? null : { ...source, columns, seed }]);
}
