import { notifyDeps } from '../lib/runtime/lambda/light.ts';
import { endedOtherwise, parseFailure } from '../lib/runtime/lambda/light-events.ts';
import { instrument } from '../lib/runtime/lambda/telemetry.ts';
import { runNotify } from '../lib/steps/end/notify.ts';

/** Sends the one alert of a run that failed, timed out or was stopped. */
export const handler = instrument('Notify', async (event, { log, measure }) => {
  if (endedOtherwise(event)) measure('EndedOtherwise', 1);
  const { pipeline, ...deps } = notifyDeps(log);
  return runNotify(parseFailure(pipeline, event), deps);
});
