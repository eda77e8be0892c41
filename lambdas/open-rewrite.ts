import { parseOpenInput } from '../lib/runtime/lambda/events.ts';
import { workerHandler } from '../lib/runtime/lambda/worker.ts';
import { runOpenRewrite } from '../lib/steps/maintain/open-rewrite.ts';

/** Takes the lock of the pipeline's maintenance and plans which files are written anew. */
export const handler = workerHandler({
  name: 'OpenRewrite',
  parse: parseOpenInput,
  runOf: ({ pipeline, run_id, dry_run }) => ({ pipeline, run_id, dry_run, kind: 'maintenance' }),
  run: runOpenRewrite,
});
