import { startDeps } from '../lib/runtime/lambda/light.ts';
import { instrument } from '../lib/runtime/lambda/telemetry.ts';
import { readUploads } from '../lib/runtime/lambda/uploads.ts';
import { startRuns } from '../lib/steps/start/start-runs.ts';

/**
 * Starts a run for the files that have landed. Messages that are no events, or whose upload could not be dealt with, go
 * back to the queue, and at last to the dead letters; the others of their batch do not.
 */
export const handler = instrument('Starter', async (event, { log }) => {
  const { pipeline, ...deps } = startDeps(log);
  const { uploads, malformed } = readUploads(pipeline, event, log);
  const { failed } = await startRuns(pipeline, uploads, deps);
  return { batchItemFailures: [...malformed, ...failed].map((itemIdentifier) => ({ itemIdentifier })) };
});
