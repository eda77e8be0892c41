import { parseOpenInput } from '../lib/runtime/lambda/events.ts';
import { workerHandler } from '../lib/runtime/lambda/worker.ts';
import { runOpen } from '../lib/steps/open/open.ts';

/** Takes the pipeline's lock and writes or finds the plan of the run. */
export const handler = workerHandler({
  name: 'Open',
  parse: parseOpenInput,
  runOf: (input) => input,
  async run(input, deps, { measure }) {
    const state = await runOpen(input, deps);
    // A run that finds nothing new has kept the tables as fresh as they can be; but where uploads have stopped, people want to know.
    if (state.status === 'nothing' && !input.dry_run && input.started_by !== 'comparison') measure('RunSucceeded', 1);
    return state;
  },
});
