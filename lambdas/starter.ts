import { startDeps } from '../lib/runtime/aws/light.ts';
import { instrument } from '../lib/runtime/aws/telemetry.ts';
import { readUploads } from '../lib/runtime/aws/uploads.ts';
import { startRuns } from '../lib/steps/start-runs.ts';

/** Starts a run for the files that have landed; messages that are no events go back to the queue, and at last to dead letters. */
export const handler = instrument('Starter', async (event, { log }) => {
  const { pipeline, ...deps } = startDeps(log);
  const { uploads, malformed } = readUploads(pipeline, event, log);
  if (uploads.length > 0) await startRuns(pipeline, uploads, deps);
  return { batchItemFailures: malformed.map((itemIdentifier) => ({ itemIdentifier })) };
});
