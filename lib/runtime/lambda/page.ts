import { z } from 'zod';
import { parseEnvironment } from './environment.ts';
import { withFreshScratch } from './scratch.ts';
import { instrument, type LambdaHandler } from './telemetry.ts';
import { workerDeps } from './worker.ts';

/** What a run that has ended asks for; no state of a run has such a field. */
const asked = z.object({ page: z.string() });

/** Writes the page of the function's pipeline. A page that cannot be written is a line in the log: nothing waits for it, and no alarm rings. */
const writePage = instrument('Page', async (_event, { log }) => {
  const environment = parseEnvironment(process.env);
  const { pipeline } = environment;
  return withFreshScratch(environment.tmp, async (scratch) => {
    try {
      // Loaded where it is asked for, so that no run waits for it.
      const { keepPage } = await import('../page/kept-page.ts');
      await keepPage(workerDeps(environment, scratch, log), pipeline);
      return { pipeline, written: true };
    } catch (cause) {
      log.warn('the page was not written', { error: cause instanceof Error ? cause.message : String(cause) });
      return { pipeline, written: false };
    }
  });
});

/** A handler that writes the page where that is asked for, and does its own work for every other event. */
export function withPage(handler: LambdaHandler): LambdaHandler {
  return (event, context) => (asked.safeParse(event).success ? writePage(event, context) : handler(event, context));
}
