import { parseMaintenanceState } from '../lib/runtime/lambda/events.ts';
import { workerHandler } from '../lib/runtime/lambda/worker.ts';
import { runSweep } from '../lib/steps/maintain/sweep.ts';

/** Forgets old snapshots, or removes files that nothing needs. What it needs of locks it takes itself. */
export const handler = workerHandler({
  name: 'Sweep',
  parse: parseMaintenanceState,
  runOf: ({ request: { pipeline, run_id, dry_run } }) => ({ pipeline, run_id, dry_run, kind: 'maintenance' }),
  run: runSweep,
});
