import { type OpenBreaker, readBreaker } from '../lake/ops/breaker.ts';
import type { ObjectStore } from '../ports.ts';
import type { PipelineDeps } from './find-keyed.ts';

/** A pipeline's circuit breaker. `limit`: null where the pipeline has none. */
export type BreakerStatus = {
  readonly pipeline: string;
  readonly status: 'open' | 'closed';
  readonly limit: { readonly rows: number; readonly window_ms: number } | null;
  /** Why it is open. */
  readonly open: OpenBreaker | null;
};

/** Throws InvalidInput for an unknown pipeline. */
export async function breakerStatus(
  deps: PipelineDeps & { readonly store: ObjectStore },
  pipeline: string,
): Promise<BreakerStatus> {
  const { breaker } = await deps.specs(pipeline);
  const last = await readBreaker(deps.store, pipeline);
  const open = last === undefined || last.closed_at !== null ? null : last;
  const limit = breaker === null ? null : { rows: breaker.rows, window_ms: breaker.windowMs };
  return { pipeline, status: open === null ? 'closed' : 'open', limit, open };
}
