import { parseAwaited } from '../lib/runtime/lambda/events.ts';
import { awaitDeps } from '../lib/runtime/lambda/light-executions.ts';
import { instrument } from '../lib/runtime/lambda/telemetry.ts';
import { runAwaitDecision } from '../lib/steps/gate/await-decision.ts';

/** Puts down by what an execution is woken that waits for a decision, and tells people. */
export const handler = instrument('AwaitDecision', async (event, { log }) =>
  runAwaitDecision(parseAwaited(event), awaitDeps(log)),
);
