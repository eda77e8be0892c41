import { parseRunState } from '../lib/runtime/lambda/events.ts';
import { workerHandler } from '../lib/runtime/lambda/worker.ts';
import { runAudit } from '../lib/steps/audit/audit.ts';

/** Checks a level's staged tables and prepares their snapshots. */
export const handler = workerHandler({
  name: 'Audit',
  parse: parseRunState,
  runOf: (input) => input.run,
  run: runAudit,
});
