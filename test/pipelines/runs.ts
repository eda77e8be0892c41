import { readFileSync } from 'node:fs';
import type { PipelineDefinition } from '../../lib/define/index.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';

/** An empty lake in memory for one of the project's own pipelines. */
export function openPipelineLake(pipeline: PipelineDefinition): Promise<TestLake> {
  const models = [...Object.values(pipeline.silver ?? {}), ...Object.values(pipeline.gold ?? {})];
  const paths = models.flatMap((model) => model.sql ?? []);
  const read = (path: string): string =>
    readFileSync(new URL(`../../pipelines/${pipeline.name}/${path}`, import.meta.url), 'utf8');
  return openTestLake({
    name: pipeline.name,
    definition: pipeline,
    sql: Object.fromEntries(paths.map((path) => [path, read(path)])),
  });
}

/** Lands files in batches, with a run after each; answers their results. */
export async function runBatches(
  lake: TestLake,
  batches: readonly (readonly { readonly source: string; readonly file: string; readonly content: string }[])[],
): Promise<Awaited<ReturnType<TestLake['run']>>[]> {
  const results = [];
  for (const batch of batches) {
    for (const { source, file, content } of batch) await lake.land(source, file, content);
    results.push(await lake.run());
  }
  return results;
}
