import { maintenanceDeps } from '../lib/runtime/lambda/light.ts';
import { parseAfterRun } from '../lib/runtime/lambda/light-events.ts';
import { instrument } from '../lib/runtime/lambda/telemetry.ts';
import { runStartMaintenance } from '../lib/steps/start/start-maintenance.ts';

/** Starts the maintenance that a run has found to be due. */
export const handler = instrument('StartMaintenance', async (event, { log }) =>
  runStartMaintenance(parseAfterRun(event), maintenanceDeps(log)),
);
