import { InvalidInput } from '../core/errors.ts';
import type { PipelineSpec } from '../core/spec.ts';
import { chosenTexts } from '../query/chosen-texts.ts';
import { listPipelines } from '../runtime/load-pipeline.ts';
import type { LocalLake } from '../runtime/local.ts';

/** The pipelines of the folder but one, as far as they compile, each with the texts that were chosen for its models. */
export async function specsBut(
  deps: Pick<LocalLake['deps'], 'store' | 'specs'>,
  pipelines: string,
  own?: string,
): Promise<readonly PipelineSpec[]> {
  const found: PipelineSpec[] = [];
  for (const name of await listPipelines(pipelines)) {
    if (name === own) continue;
    try {
      found.push(await chosenTexts(deps, name));
    } catch (error) {
      if (!(error instanceof InvalidInput)) throw error;
    }
  }
  return found;
}
