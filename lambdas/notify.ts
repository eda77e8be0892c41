import { parseFailure } from '../lib/runtime/aws/events.ts';
import { notifyDeps } from '../lib/runtime/aws/light.ts';
import { instrument } from '../lib/runtime/aws/telemetry.ts';
import { runNotify } from '../lib/steps/notify.ts';

/** Sends the one alert of a run that failed, timed out or was stopped. */
export const handler = instrument('Notify', async (event, { log }) => runNotify(parseFailure(event), notifyDeps(log)));
