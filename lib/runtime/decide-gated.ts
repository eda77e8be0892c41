import type { RunRef } from '../core/run.ts';
import { type DecideDeps, type Decided, type DecideRequest, decideRun, findGated } from '../lake/gate/decide-run.ts';

export type { Decided, DecideRequest } from '../lake/gate/decide-run.ts';

/** Decides about a run, in whichever pipeline it is. Throws as decideRun and findGated do. */
export async function decideGated(
  deps: DecideDeps,
  runId: string,
  request: DecideRequest,
): Promise<Decided & { readonly run: RunRef }> {
  const { run, gate } = await findGated(deps, runId, request.pipeline);
  return { run, ...(await decideRun(deps, run, gate, request)) };
}
