import { parseUnitInput } from '../lib/runtime/aws/events.ts';
import { workerHandler } from '../lib/runtime/aws/worker.ts';
import { runMerge } from '../lib/steps/merge.ts';

/** Writes one unit's data files. */
export const handler = workerHandler({
  name: 'Merge',
  parse: parseUnitInput,
  runOf: (input) => input.run,
  run: runMerge,
});
