import { extractDeps } from '../lib/runtime/lambda/extract.ts';
import { landed } from '../lib/runtime/lambda/origins.ts';
import { instrument } from '../lib/runtime/lambda/telemetry.ts';
import { fetchSource } from '../lib/runtime/origins/fetch-sources.ts';

/** Lands the rows of a table of PostgreSQL, on a schedule. It is apart from what fetches lists, which needs no DuckDB. */
export const handler = instrument('Extract', async (_event, { log }) =>
  extractDeps(async ({ pipeline, source, deps }) =>
    landed(log, source.name, await fetchSource(deps, pipeline, source)),
  ),
);
