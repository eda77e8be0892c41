import { parseRunState } from '../lib/runtime/aws/events.ts';
import { workerHandler } from '../lib/runtime/aws/worker.ts';
import { runPlanStage } from '../lib/steps/plan-stage.ts';

/** Writes a level's list of units to stage. */
export const handler = workerHandler({
  name: 'PlanStage',
  parse: parseRunState,
  runOf: (input) => input.run,
  run: runPlanStage,
});
