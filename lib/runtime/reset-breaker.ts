import type { PipelineSpec } from '../core/spec.ts';
import { closeBreaker } from '../lake/ops/breaker.ts';
import type { Clock, ObjectStore } from '../ports.ts';

/** Closes a pipeline's circuit breaker; answers whether it was open. Throws InvalidInput for an unknown pipeline. */
export async function resetBreaker(
  deps: {
    readonly clock: Clock;
    readonly store: ObjectStore;
    readonly specs: (pipeline: string) => Promise<PipelineSpec>;
  },
  pipeline: string,
): Promise<boolean> {
  await deps.specs(pipeline);
  return closeBreaker(deps.store, pipeline, deps.clock.now());
}
