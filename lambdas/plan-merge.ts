import { parseRunState } from '../lib/runtime/lambda/events.ts';
import { workerHandler } from '../lib/runtime/lambda/worker.ts';
import { runPlanMerge } from '../lib/steps/merge/plan-merge.ts';

/** Writes a level's list of units to merge. */
export const handler = workerHandler({
  name: 'PlanMerge',
  parse: parseRunState,
  runOf: (input) => input.run,
  run: runPlanMerge,
});
