import { join } from 'node:path';
import type { JsonValue } from '../../lib/ports.ts';
import { checkAlerts, checkReleased, checkTables } from './checks.ts';
import { functionNamed } from './deployment.ts';
import type { LambdaFunction } from './function.ts';
import { MISSING_BUCKET } from './grants.ts';
import { runLaptop } from './laptop.ts';
import { withRefusingSpec } from './other-spec.ts';
import { checkVersions } from './redeploy.ts';
import { type Ended, killAt, type RunChanges, runStarted } from './runs.ts';
import { checkKilled, checkStatus, describeEnd, land, runAll, type Stage } from './stage.ts';
import type { Landing } from './uploads.ts';

/**
 * A run that its audit refuses; a redrive of it that cannot write; and another with all put right, in which the
 * committer is killed.
 */
export async function rehearseFailure(stage: Stage, landings: readonly Landing[]): Promise<void> {
  const { steps, lake, deployment, inbox, folder } = stage;
  const open = await withRefusingSpec(functionNamed(deployment, 'open'), deployment.pipeline, join(folder, 'refusing'));
  await land(stage, landings);
  const [refused] = await runAll(stage, 'run that its audit refuses', { functions: { open } }, 'FAILED');
  await steps.check('it called the versions of the latest deploy alone', async () =>
    checkVersions(deployment, refused === undefined ? [] : [refused]),
  );
  await steps.check('exactly one alert, naming the cause', () =>
    checkAlerts(inbox, deployment, 1, /rehearsed_failure/),
  );
  await steps.check('nothing is left locked by the failed run', () => checkReleased(deployment));
  await steps.check('nothing of it was published', () => checkTables(deployment, lake.root));

  const level = withVariable(functionNamed(deployment, 'level'), 'STRATA_OPS_BUCKET', MISSING_BUCKET);
  const broken = await redrive(stage, 'redrive, a bucket missing', refused, 1, { functions: { level } });
  await steps.check('it ended FAILED', async () => checkStatus([broken], 'FAILED'));
  await steps.check('one more alert, naming the call', () =>
    checkAlerts(inbox, deployment, 2, /s3:\w+ on s3:\/\/no-such-bucket/),
  );

  const kill = killAt(deployment, 'commit', (action) => action === 'glue:UpdateTable');
  const mended = await redrive(stage, 'redrive, the Commit worker killed in the middle', broken, 2);
  kill.stop();
  await steps.check('it ended SUCCEEDED', async () => checkStatus([mended], 'SUCCEEDED'));
  await steps.check('the killed worker was retried', async () => checkKilled(kill.killed(), [mended], 'Commit'));
  await steps.step('the same on the laptop', () => runLaptop(lake, deployment.pipeline, landings));
  await steps.check('tables equal the laptop after the redrives', () => checkTables(deployment, lake.root));
  await steps.check('no further alert', () => checkAlerts(inbox, deployment, 2, /no-such-bucket/));
}

function withVariable(fn: LambdaFunction, name: string, value: string): LambdaFunction {
  return { ...fn, variables: { ...fn.variables, [name]: value } };
}

/** A redrive enters the execution again at the state that failed, with what that was given. */
async function redrive(
  { deployment, steps }: Stage,
  name: string,
  failed: Ended | undefined,
  count: number,
  changes: RunChanges = {},
): Promise<Ended> {
  if (failed?.failure === undefined) throw new Error(`${name}: the execution did not end in RunFailed`);
  const { state: input } = failed.failure as { state: JsonValue };
  const again = { ...changes, redrive: { state: 'RunFailed', input, count } };
  const [ended] = await steps.step(
    name,
    () => runStarted(deployment, [failed.started], again),
    (all) => all.map(describeEnd).join('; '),
  );
  if (ended === undefined) throw new Error(`${name}: nothing was redriven`);
  return ended;
}
