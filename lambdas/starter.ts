import { startDeps } from '../lib/runtime/lambda/light-executions.ts';
import { instrument } from '../lib/runtime/lambda/telemetry.ts';
import { tellEnds } from '../lib/runtime/lambda/tell-ends.ts';
import { readUploads } from '../lib/runtime/lambda/uploads.ts';
import { startRuns } from '../lib/steps/start/start-runs.ts';

/**
 * Starts a run for the files that have landed, and tells of executions that ended without an alert of their own. Messages that are no
 * events, or could not be dealt with, go back to the queue, and at last to the dead letters; the others of their batch do not.
 */
export const handler = instrument('Starter', async (event, invocation) => {
  const { pipeline, ...deps } = startDeps(invocation.log);
  const { uploads, ends, malformed } = readUploads(pipeline, event, invocation.log);
  const { failed } = await startRuns(pipeline, uploads, deps);
  const untold = await tellEnds(ends, invocation);
  return { batchItemFailures: [...malformed, ...failed, ...untold].map((itemIdentifier) => ({ itemIdentifier })) };
});
