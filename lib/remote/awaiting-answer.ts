import type { Awaiting, GateState } from '../core/promote.ts';
import type { RunAnswer } from './run-request.ts';

/** Of the last state of an execution, what says that a run waits. */
type Ended = GateState & { readonly request: { readonly run_id: string } };

/** What an execution answers that has prepared a run, or that could not begin because of one; undefined where none waits. */
export function awaitingAnswer({ awaiting, awaited, request }: Ended, pipeline: string): RunAnswer | undefined {
  const found = awaiting ?? awaited;
  if (found === undefined) return undefined;
  const { run_id, since, expires_at, digest, because, differing } = found;
  const known: Awaiting = { run_id, since, expires_at, digest, because, ...(differing && { differing }) };
  return { kind: 'awaiting', pipeline, awaiting: known, own: run_id === request.run_id };
}
