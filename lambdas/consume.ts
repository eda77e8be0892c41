import { originDeps } from '../lib/runtime/lambda/origins.ts';
import { instrument } from '../lib/runtime/lambda/telemetry.ts';
import { consumeScheduled } from '../lib/runtime/origins/consume-source.ts';

/** Lands what a topic has since the call before, on a schedule. What was landed stays, however a call ends. */
export const handler = instrument('Consume', async (_event, { log, context }) => {
  const { pipeline, source, deps } = originDeps();
  const { files, records, bytes } = await consumeScheduled(deps, pipeline, source, {
    mayTakeMs: context.getRemainingTimeInMillis(),
    onRetry: ({ message }) => log.warn('the topic did not answer', { cause: message }),
  });
  log.info('consumed', { source: source.name, files, records, bytes });
  return { files, records, bytes };
});
