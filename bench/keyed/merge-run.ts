import { enableCompileCache } from 'node:module';

/**
 * One run of a pipeline in a process of its own, as `strata run` does it; prints how long its merge states took:
 * `node merge-run.ts <lake> <pipelines> <pipeline>`. Ends with 1 when the run does not succeed.
 */
enableCompileCache();
const { openLocalLake } = await import('../../lib/runtime/local.ts');
const [root = '', pipelines = '', pipeline = ''] = process.argv.slice(2);
const silent = { info: () => undefined, warn: () => undefined };
const lake = await openLocalLake({ root, pipelines, log: silent });
let mergeMs = 0;
const answer = await lake.run({
  pipeline,
  onEvent: (event) => {
    if (event.kind === 'succeeded' && (event.state === 'PlanMerge' || event.state === 'MergeMap'))
      mergeMs += event.durationMs;
  },
});
if (answer.kind !== 'ended' || answer.result.status !== 'SUCCEEDED') throw new Error(JSON.stringify(answer));
process.stdout.write(JSON.stringify({ mergeMs }));
