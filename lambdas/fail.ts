import { failDeps } from '../lib/runtime/aws/light.ts';
import { parseAfterError } from '../lib/runtime/aws/light-events.ts';
import { instrument } from '../lib/runtime/aws/telemetry.ts';
import { runFail } from '../lib/steps/fail.ts';

/** Undoes a run that failed before it published, or leaves it to be rolled forward. */
export const handler = instrument('Fail', async (event, { log }) => runFail(parseAfterError(event), failDeps(log)));
