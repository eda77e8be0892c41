import { failDeps } from '../lib/runtime/lambda/light.ts';
import { parseAfterError } from '../lib/runtime/lambda/light-events.ts';
import { instrument } from '../lib/runtime/lambda/telemetry.ts';
import { tellLineage } from '../lib/runtime/lambda/tell-lineage.ts';
import { runFail } from '../lib/steps/end/fail.ts';

/** Undoes a run that failed before it published, or leaves it to be rolled forward. */
export const handler = instrument('Fail', async (event, { log }) => {
  const failed = parseAfterError(event);
  const deps = failDeps(log);
  const answer = await runFail(failed, deps);
  await tellLineage(failed.state.run, deps);
  return answer;
});
