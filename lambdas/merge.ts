import { parseUnitInput } from '../lib/runtime/lambda/events.ts';
import { workerHandler } from '../lib/runtime/lambda/worker.ts';
import { runMerge } from '../lib/steps/merge/merge.ts';

/** Writes one unit's data files. */
export const handler = workerHandler({
  name: 'Merge',
  parse: parseUnitInput,
  runOf: (input) => input.run,
  run: runMerge,
});
