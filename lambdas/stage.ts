import { parseUnitInput } from '../lib/runtime/lambda/events.ts';
import { workerHandler } from '../lib/runtime/lambda/worker.ts';
import { runStage } from '../lib/steps/stage/stage.ts';

/** Writes one unit's staged files. */
export const handler = workerHandler({
  name: 'Stage',
  parse: parseUnitInput,
  runOf: (input) => input.run,
  run: runStage,
});
