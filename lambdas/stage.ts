import { parseUnitInput } from '../lib/runtime/aws/events.ts';
import { workerHandler } from '../lib/runtime/aws/worker.ts';
import { runStage } from '../lib/steps/stage.ts';

/** Writes one unit's staged files. */
export const handler = workerHandler({
  name: 'Stage',
  parse: parseUnitInput,
  runOf: (input) => input.run,
  run: runStage,
});
