import { parseRunState } from '../lib/runtime/lambda/events.ts';
import { workerHandler } from '../lib/runtime/lambda/worker.ts';
import { runGate } from '../lib/steps/gate/gate.ts';

/** Lets a run through that is approved, and writes down what is to be decided about otherwise. */
export const handler = workerHandler({
  name: 'Gate',
  parse: parseRunState,
  runOf: (input) => input.run,
  run: runGate,
});
