import { parseMaintenanceState } from '../lib/runtime/lambda/events.ts';
import { workerHandler } from '../lib/runtime/lambda/worker.ts';
import { runFinishRewrite } from '../lib/steps/maintain/finish-rewrite.ts';

/** Ends a run of maintenance: its result, no lock. */
export const handler = workerHandler({
  name: 'FinishRewrite',
  parse: parseMaintenanceState,
  runOf: (input) => input.run,
  run: runFinishRewrite,
});
