import type { UnitProfile } from '../../core/profile.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { keepProfile } from '../../lake/ops/profiles.ts';
import type { RunAnswer } from '../../remote/run-request.ts';

/** Keeps what the engine did in a run, whether it has published or waits to be decided about. Of one that had done its work before there is nothing to keep. */
export async function keepRunProfile(
  { store, clock }: Pick<StepDeps, 'store' | 'clock'>,
  pipeline: string,
  answer: RunAnswer,
  units: readonly UnitProfile[],
): Promise<void> {
  const runId = ranAs(answer);
  if (runId === undefined) return;
  await keepProfile(store, pipeline, { run_id: runId, at: clock.now().toISOString() }, units);
}

/** The run that worked for this answer; undefined where none did. */
function ranAs(answer: RunAnswer): string | undefined {
  if (answer.kind === 'ended') return answer.again ? undefined : answer.result.run_id;
  return answer.kind === 'awaiting' && answer.own ? answer.awaiting.run_id : undefined;
}
