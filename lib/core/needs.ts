import { type ModelSpec, modelId, type PipelineSpec } from './spec.ts';

/** The models that are computed for one, itself last, where some tables are given; and the sources that they read. */
export function needsOf(
  spec: PipelineSpec,
  model: ModelSpec,
  tables: ReadonlySet<string>,
): { readonly models: readonly ModelSpec[]; readonly sources: readonly string[] } {
  const wanted = new Set([model.id]);
  for (const one of [...spec.models].reverse()) {
    if (!wanted.has(one.id)) continue;
    for (const read of one.reads) if (!tables.has(modelId(read))) wanted.add(modelId(read));
  }
  const models = spec.models.filter((one) => wanted.has(one.id));
  const sources = new Set(models.flatMap((one) => (one.layer === 'silver' ? [one.from] : [])));
  return { models, sources: [...sources] };
}
