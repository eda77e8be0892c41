import { InvalidInput } from '../core/errors.ts';
import type { PipelineSpec } from '../core/spec.ts';
import { listPipelines } from '../runtime/load-pipeline.ts';
import type { LocalLake } from '../runtime/local.ts';

/** The pipelines of the folder but one, as far as they compile. */
export async function specsBut(
  deps: LocalLake['deps'],
  pipelines: string,
  own?: string,
): Promise<readonly PipelineSpec[]> {
  const found: PipelineSpec[] = [];
  for (const name of await listPipelines(pipelines)) {
    if (name === own) continue;
    try {
      found.push(await deps.specs(name));
    } catch (error) {
      if (!(error instanceof InvalidInput)) throw error;
    }
  }
  return found;
}
