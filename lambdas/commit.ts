import { parseRunState } from '../lib/runtime/lambda/events.ts';
import { workerHandler } from '../lib/runtime/lambda/worker.ts';
import { runCommit } from '../lib/steps/commit/commit.ts';

/** Publishes the prepared snapshot of every table. */
export const handler = workerHandler({
  name: 'Commit',
  parse: parseRunState,
  runOf: (input) => input.run,
  run: runCommit,
});
