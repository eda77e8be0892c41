import { readFileSync } from 'node:fs';
import type { PipelineDefinition } from '../../lib/define/index.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';

/** An empty lake in memory for one of the project's own pipelines. */
export function openPipelineLake(pipeline: PipelineDefinition): Promise<TestLake> {
  const models = [...Object.values(pipeline.silver ?? {}), ...Object.values(pipeline.gold ?? {})];
  const paths = models.flatMap(({ sql = [] }) => (typeof sql === 'string' ? sql : Object.values(sql)));
  const read = (path: string): string =>
    readFileSync(new URL(`../../pipelines/${pipeline.name}/${path}`, import.meta.url), 'utf8');
  return openTestLake({
    name: pipeline.name,
    definition: pipeline,
    sql: Object.fromEntries(paths.map((path) => [path, read(path)])),
  });
}

/** Some models of a pipeline, with the sources that they are made from. */
export function partOf(pipeline: PipelineDefinition, names: readonly string[]): PipelineDefinition {
  const only = <Value>(named: Readonly<Record<string, Value>> = {}, wanted: readonly string[]): Record<string, Value> =>
    Object.fromEntries(Object.entries(named).filter(([name]) => wanted.includes(name)));
  const inLayer = (layer: string): string[] =>
    names.filter((name) => name.startsWith(`${layer}.`)).map((name) => name.slice(layer.length + 1));
  const silver = only(pipeline.silver, inLayer('silver'));
  const sources = only(
    pipeline.sources,
    Object.values(silver).map(({ from }) => from),
  );
  return { ...pipeline, sources, silver, gold: only(pipeline.gold, inLayer('gold')) };
}

/** Lands files in batches, with a run of all models after each, whatever their branch; answers their results. */
export async function runBatches(
  lake: TestLake,
  batches: readonly (readonly { readonly source: string; readonly file: string; readonly content: string }[])[],
): Promise<Awaited<ReturnType<TestLake['run']>>[]> {
  const results = [];
  for (const batch of batches) {
    for (const { source, file, content } of batch) await lake.land(source, file, content);
    results.push(await lake.run({ select: ['*'] }));
  }
  return results;
}
