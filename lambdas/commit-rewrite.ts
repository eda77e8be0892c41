import { parseMaintenanceState } from '../lib/runtime/lambda/events.ts';
import { workerHandler } from '../lib/runtime/lambda/worker.ts';
import { runCommitRewrite } from '../lib/steps/maintain/commit-rewrite.ts';

/** Publishes a round of rewritten files. */
export const handler = workerHandler({
  name: 'CommitRewrite',
  parse: parseMaintenanceState,
  runOf: (input) => input.run,
  run: runCommitRewrite,
});
