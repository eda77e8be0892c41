import { parseRunState } from '../lib/runtime/aws/events.ts';
import { workerHandler } from '../lib/runtime/aws/worker.ts';
import { runAudit } from '../lib/steps/audit.ts';

/** Checks a level's staged tables and prepares their snapshots. */
export const handler = workerHandler({
  name: 'Audit',
  parse: parseRunState,
  runOf: (input) => input.run,
  run: runAudit,
});
