import { originDeps } from '../lib/runtime/lambda/origins.ts';
import { instrument } from '../lib/runtime/lambda/telemetry.ts';
import { fetchSource } from '../lib/runtime/origins/fetch-sources.ts';

/** Lands what a source has elsewhere, on a schedule. What fails is tried again, and goes to the dead letters at last. */
export const handler = instrument('Fetch', async (_event, { log }) => {
  const { pipeline, source, deps } = originDeps();
  const { files, records, nothing } = await fetchSource(deps, pipeline, source);
  log.info('fetched', {
    source: source.name,
    files: files.length,
    records,
    ...(nothing === undefined ? {} : { nothing }),
  });
  return { files: files.length, records };
});
