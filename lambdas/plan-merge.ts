import { parseRunState } from '../lib/runtime/aws/events.ts';
import { workerHandler } from '../lib/runtime/aws/worker.ts';
import { runPlanMerge } from '../lib/steps/plan-merge.ts';

/** Writes a level's list of units to merge. */
export const handler = workerHandler({
  name: 'PlanMerge',
  parse: parseRunState,
  runOf: (input) => input.run,
  run: runPlanMerge,
});
