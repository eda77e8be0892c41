import { availableParallelism, tmpdir } from 'node:os';
import type { PipelineSpec } from '../core/spec.ts';
import { createDuckDbEngine } from '../engine/duckdb.ts';
import { listPipelines, pipelineLoader } from './load-pipeline.ts';
import { ownScratch, TEMP_PREFIX } from './scratch.ts';

/** Compiles every pipeline below a folder, in the order of their names. Throws InvalidInput with every problem of the first that has any. */
export async function compilePipelines(pipelines: string): Promise<readonly PipelineSpec[]> {
  const engine = createDuckDbEngine();
  const session = {
    memoryBytes: 500_000_000,
    threads: availableParallelism(),
    scratch: ownScratch(tmpdir(), TEMP_PREFIX),
  };
  const specs: PipelineSpec[] = [];
  const load = pipelineLoader(engine, session, pipelines);
  for (const name of await listPipelines(pipelines)) specs.push(await load(name));
  return specs;
}
