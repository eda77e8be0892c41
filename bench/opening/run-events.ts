import type { RunResult } from '../../lib/core/run.ts';
import type { Upload } from '../../lib/core/trigger.ts';
import { discover, settle } from '../../lib/lake/ops/discover.ts';
import { markFiles } from '../../lib/lake/ops/marks.ts';
import { executeRun } from '../../lib/runtime/execute-run.ts';
import { medallionHandlers } from '../../lib/runtime/handlers.ts';
import { dayOf, FOLDER, landEvent, openOpeningLake } from './lake.ts';

/** A run that events have started: `node run-events.ts <lake> <files of it> <new files>` prints milliseconds and files found. */
const [root = '', files = '', fresh = ''] = process.argv.slice(2);
const deps = await openOpeningLake(root, Number(files));
const started_by = 'events';
const execution = 'arn:bench';
// As if bronze had just been compared.
const asked = { dry_run: false, started_by, execution } as const;
const discovery = await discover(deps, await deps.specs('events'), asked);
if (discovery?.compared !== undefined) await settle(deps.store, 'events', discovery);
const stamp = Date.now();
const uploads: Upload[] = [];
for (let n = 0; n < Number(fresh); n += 1) {
  const name = `${dayOf(Number(files) - 1)}event-${stamp}-${n}.csv`;
  await landEvent(root, name, stamp + n);
  const info = await deps.store.head(`${FOLDER}${name}`);
  if (info !== undefined) uploads.push({ key: info.key, etag: info.etag });
}
await markFiles(deps.store, 'events', uploads);
const run = { pipeline: 'events', run_id: `bench-${stamp}` };
const started = performance.now();
const { outcome } = await executeRun(deps, {
  machine: 'medallion',
  handlers: (stepDeps, lost) => {
    const { Open, ...others } = medallionHandlers(stepDeps, lost);
    return { ...others, Open: (input) => Open({ ...(input as { state: never }), execution: { Id: execution } }) };
  },
  opens: 'Open',
  ends: ['Finish', 'Fail'],
  input: { ...run, dry_run: false, wait: true, started_by },
  run,
});
const ms = performance.now() - started;
if (outcome.status !== 'SUCCEEDED') throw new Error(JSON.stringify(outcome));
const found = await deps.store.read(`ops/events/_runs/${run.run_id}/result.json`);
const result = JSON.parse(new TextDecoder().decode(found.bytes)) as RunResult;
process.stdout.write(JSON.stringify({ ms, found: result.accounting['events']?.read }));
