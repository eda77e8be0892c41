import { failDeps } from '../lib/runtime/lambda/light.ts';
import { parseAfterError } from '../lib/runtime/lambda/light-events.ts';
import { instrument } from '../lib/runtime/lambda/telemetry.ts';
import { runFail } from '../lib/steps/end/fail.ts';

/** Undoes a run that failed before it published, or leaves it to be rolled forward. */
export const handler = instrument('Fail', async (event, { log }) => runFail(parseAfterError(event), failDeps(log)));
