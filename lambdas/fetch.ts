import { landed, originDeps } from '../lib/runtime/lambda/origins.ts';
import { instrument } from '../lib/runtime/lambda/telemetry.ts';
import { fetchSource } from '../lib/runtime/origins/fetch-sources.ts';

/** Lands what a source has elsewhere, on a schedule. What fails is tried again, and goes to the dead letters at last. */
export const handler = instrument('Fetch', async (_event, { log }) => {
  const { pipeline, source, deps } = originDeps();
  return landed(log, source.name, await fetchSource(deps, pipeline, source));
});
