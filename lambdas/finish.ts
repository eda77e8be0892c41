import { askForPage } from '../lib/runtime/lambda/ask-for-page.ts';
import { parseRunState } from '../lib/runtime/lambda/events.ts';
import { withPage } from '../lib/runtime/lambda/page.ts';
import { measureRun } from '../lib/runtime/lambda/run-metrics.ts';
import { tellLineage } from '../lib/runtime/lambda/tell-lineage.ts';
import { workerHandler } from '../lib/runtime/lambda/worker.ts';
import { runFinish } from '../lib/steps/end/finish.ts';

/** Writes the run's result, removes its work files, releases the lock; tells of the run. Then it is asked, in another call, for the page. */
export const handler = withPage(
  workerHandler({
    name: 'Finish',
    parse: parseRunState,
    runOf: (input) => input.run,
    run: runFinish,
    async after(run, deps, { measure }) {
      await measureRun(deps, run, measure);
      await tellLineage(run, deps);
      await askForPage(run, deps.log);
    },
  }),
);
