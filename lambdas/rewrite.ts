import { parseRewriteInput } from '../lib/runtime/lambda/events.ts';
import { workerHandler } from '../lib/runtime/lambda/worker.ts';
import { runRewrite } from '../lib/steps/maintain/rewrite.ts';

/** Writes the files of one unit anew. */
export const handler = workerHandler({
  name: 'Rewrite',
  parse: parseRewriteInput,
  runOf: (input) => input.run,
  run: runRewrite,
});
