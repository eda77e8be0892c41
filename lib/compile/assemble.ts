import { readByAny } from '../core/implementations.ts';
import type { ModelSpec, OtherTable, PipelineSpec } from '../core/spec.ts';
import type { PipelineDraft } from './draft.ts';
import { levelsOf } from './levels.ts';

export type BoundPipeline = {
  /** The specs of the models that came through, by id. */
  readonly models: ReadonlyMap<string, ModelSpec>;
  readonly others: readonly OtherTable[];
  /** Whether any SQL names the run date. */
  readonly dated: boolean;
  /** Whether any folds case. */
  readonly folds: boolean;
};

/** The spec of what was read and what was bound; what a pipeline does not say is left out. */
export function assemble(draft: PipelineDraft, { models, others, dated, folds }: BoundPipeline): PipelineSpec {
  const refs = [...models].map(
    ([id, model]) => [id, { ref: { layer: model.layer, name: model.name }, reads: readByAny(model) }] as const,
  );
  const levels = levelsOf(new Map(refs));
  return {
    specVersion: 1,
    name: draft.name,
    owner: draft.owner,
    tier: draft.tier,
    description: draft.description,
    schedule: draft.schedule,
    ...(draft.schedules.length === 0 ? {} : { schedules: draft.schedules }),
    ...(draft.timezone === undefined ? {} : { timezone: draft.timezone }),
    ...(dated ? { dated } : {}),
    ...(folds ? { folds } : {}),
    ...(draft.onChange === 'stop' ? {} : { onChange: draft.onChange }),
    settings: draft.settings,
    compute: draft.compute,
    slo: draft.slo,
    breaker: draft.breaker,
    ...(draft.promote === undefined ? {} : { promote: draft.promote }),
    ...(draft.alerts === undefined ? {} : { alerts: draft.alerts }),
    ...(draft.serve === undefined ? {} : { serve: draft.serve }),
    ...(draft.openlineage === undefined ? {} : { openlineage: draft.openlineage }),
    ...(draft.discover === undefined ? {} : { discover: draft.discover }),
    ...(draft.maintenance === undefined ? {} : { maintenance: draft.maintenance }),
    ...(draft.vars.length === 0 ? {} : { vars: draft.vars }),
    sources: draft.sources.map((source) => source.spec),
    models: levels.flat().flatMap((id) => models.get(id) ?? []),
    levels,
    ...(others.length === 0 ? {} : { others }),
    ...(draft.after.length === 0 ? {} : { after: draft.after }),
  };
}
