import { needsOf } from '../core/needs.ts';
import { type ModelSpec, modelId, type PipelineSpec, type TableRef } from '../core/spec.ts';

/**
 * The pipeline as far as one model's test needs it: the model, what it reads, and tables that are given in place of
 * models, which no run computes.
 */
export function cutSpec(spec: PipelineSpec, model: ModelSpec, given: readonly TableRef[]): PipelineSpec {
  const tables = new Set(given.map(modelId));
  const needs = needsOf(spec, model, tables);
  const computed = new Set(needs.models.map(modelId));
  const models = spec.models.flatMap((one) =>
    computed.has(one.id) ? [one] : tables.has(one.id) ? [standIn(one)] : [],
  );
  const kept = new Set(models.map(modelId));
  const levels = spec.levels.map((ids) => ids.filter((id) => kept.has(id))).filter((ids) => ids.length > 0);
  const sources = spec.sources.filter((source) => needs.sources.includes(source.name));
  return { ...spec, sources, models, levels };
}

/** No source has an empty name, and a gold table without inputs is out of date on no day. */
export function standIn(model: ModelSpec): ModelSpec {
  const nothing = { partitionBy: [], sortBy: [], expect: [], reads: [] };
  if (model.layer === 'silver') return { ...model, ...nothing, from: '', joins: [] };
  const { dueBy: _grain, ...rest } = model;
  return { ...rest, ...nothing, readsLogs: [], refresh: { kind: 'full' } };
}
