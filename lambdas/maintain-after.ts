import { parseAfterRun } from '../lib/runtime/lambda/light-events.ts';
import { maintenanceDeps } from '../lib/runtime/lambda/light-executions.ts';
import { instrument } from '../lib/runtime/lambda/telemetry.ts';
import { runMaintainAfter } from '../lib/steps/start/maintain-after.ts';

/** Starts the maintenance that a run has found to be due. */
export const handler = instrument('MaintainAfter', async (event, { log }) =>
  runMaintainAfter(parseAfterRun(event), maintenanceDeps(log)),
);
