import { parseRunState } from '../lib/runtime/aws/events.ts';
import { workerHandler } from '../lib/runtime/aws/worker.ts';
import { runCommit } from '../lib/steps/commit.ts';

/** Publishes the prepared snapshot of every table. */
export const handler = workerHandler({
  name: 'Commit',
  parse: parseRunState,
  runOf: (input) => input.run,
  run: runCommit,
});
