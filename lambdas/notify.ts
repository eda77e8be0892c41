import { notifyDeps } from '../lib/runtime/aws/light.ts';
import { parseFailure } from '../lib/runtime/aws/light-events.ts';
import { instrument } from '../lib/runtime/aws/telemetry.ts';
import { runNotify } from '../lib/steps/notify.ts';

/** Sends the one alert of a run that failed, timed out or was stopped. */
export const handler = instrument('Notify', async (event, { log }) => {
  const { pipeline, ...deps } = notifyDeps(log);
  return runNotify(parseFailure(pipeline, event), deps);
});
