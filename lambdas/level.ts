import { parseRunState } from '../lib/runtime/lambda/events.ts';
import { workerHandler } from '../lib/runtime/lambda/worker.ts';
import { runLevel } from '../lib/steps/level/level.ts';

/** Does levels as far as one call can. */
export const handler = workerHandler({
  name: 'Level',
  parse: parseRunState,
  runOf: (input) => input.run,
  run: runLevel,
});
