import { askForPage } from '../lib/runtime/lambda/ask-for-page.ts';
import { failRun } from '../lib/runtime/lambda/fail-run.ts';
import { failDeps } from '../lib/runtime/lambda/light.ts';
import { parseAfterError } from '../lib/runtime/lambda/light-events.ts';
import { instrument } from '../lib/runtime/lambda/telemetry.ts';
import { tellLineage } from '../lib/runtime/lambda/tell-lineage.ts';

/** Undoes a run that failed before it published, or leaves it to be rolled forward; tells of the run. */
export const handler = instrument('Fail', async (event, { log, measure }) => {
  const failed = parseAfterError(event);
  const deps = failDeps(log);
  const answer = await failRun(failed, deps, { log, measure });
  await tellLineage(failed.state.run, deps);
  await askForPage(failed.state.run, log);
  return answer;
});
