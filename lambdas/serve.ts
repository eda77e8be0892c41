import { parseRunState } from '../lib/runtime/lambda/events.ts';
import { servingDeps } from '../lib/runtime/lambda/serving.ts';
import { workerHandler } from '../lib/runtime/lambda/worker.ts';
import { runServe } from '../lib/steps/serve/serve.ts';

/** Copies what a run has published to where it is served. */
export const handler = workerHandler({
  name: 'Serve',
  parse: parseRunState,
  runOf: (input) => input.run,
  run: (input, deps) => runServe(input, { ...deps, ...servingDeps() }),
});
