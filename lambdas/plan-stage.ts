import { parseRunState } from '../lib/runtime/lambda/events.ts';
import { workerHandler } from '../lib/runtime/lambda/worker.ts';
import { runPlanStage } from '../lib/steps/stage/plan-stage.ts';

/** Writes a level's list of units to stage. */
export const handler = workerHandler({
  name: 'PlanStage',
  parse: parseRunState,
  runOf: (input) => input.run,
  run: runPlanStage,
});
