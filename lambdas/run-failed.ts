import { parseAfterError } from '../lib/runtime/lambda/light-events.ts';
import { instrument } from '../lib/runtime/lambda/telemetry.ts';
import { runRunFailed } from '../lib/steps/end/run-failed.ts';

/** Ends the execution with the error of its run; redriven, opens the run anew. */
export const handler = instrument('RunFailed', async (event) => ({ ...(await runRunFailed(parseAfterError(event))) }));
