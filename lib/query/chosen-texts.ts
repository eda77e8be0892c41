import type { PipelineSpec } from '../core/spec.ts';
import type { StepDeps } from '../lake/deps.ts';
import { chosenSpec } from '../lake/ops/choices.ts';

/** A pipeline as its next run would have it: with the texts of models that were chosen for it. Throws InvalidInput for an unknown one. */
export function chosenTexts(deps: Pick<StepDeps, 'store' | 'specs'>, pipeline: string): Promise<PipelineSpec> {
  return chosenSpec(deps, pipeline);
}
