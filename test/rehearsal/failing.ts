import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonValue } from '../../lib/ports.ts';
import { checkAlerts, checkReleased, checkTables } from './checks.ts';
import { functionNamed } from './deployment.ts';
import type { LambdaFunction } from './function.ts';
import { MISSING_BUCKET } from './grants.ts';
import { runLaptop } from './laptop.ts';
import { inSmallUnits, refusing, SMALL_UNIT, withSpec } from './other-spec.ts';
import { checkVersions } from './redeploy.ts';
import { type Ended, killAt, type RunChanges, runStarted } from './runs.ts';
import { checkKilled, checkStatus, describeEnd, land, runAll, type Stage } from './stage.ts';
import type { Outcome } from './steps.ts';
import type { Landing } from './uploads.ts';

/**
 * A run that its audit refuses; a redrive of it that cannot write; and another with all put right, in which the
 * committer is killed. Units are small, so that the file of a day is cut; the laptop reads it whole.
 */
export async function rehearseFailure(stage: Stage, landings: readonly Landing[]): Promise<void> {
  const { steps, lake, deployment, inbox, folder } = stage;
  const { pipeline } = deployment;
  const opening = functionNamed(deployment, 'open');
  const refusesAll = await withSpec(opening, pipeline, join(folder, 'refusing'), (spec) =>
    refusing(inSmallUnits(spec)),
  );
  const open = await withSpec(opening, pipeline, join(folder, 'small-units'), inSmallUnits);
  await land(stage, landings);
  const [refused] = await runAll(stage, 'run that its audit refuses', { functions: { open: refusesAll } }, 'FAILED');
  await steps.check('it called the versions of the latest deploy alone', async () =>
    checkVersions(deployment, refused === undefined ? [] : [refused]),
  );
  await steps.check('exactly one alert, naming the cause', () =>
    checkAlerts(inbox, deployment, 1, /rehearsed_failure/),
  );
  await steps.check('nothing is left locked by the failed run', () => checkReleased(deployment));
  await steps.check('nothing of it was published', () => checkTables(deployment, lake.root));

  const level = withVariable(functionNamed(deployment, 'level'), 'STRATA_OPS_BUCKET', MISSING_BUCKET);
  const broken = await redrive(stage, 'redrive, a bucket missing', refused, 1, { functions: { open, level } });
  await steps.check('it ended FAILED', async () => checkStatus([broken], 'FAILED'));
  await steps.check('one more alert, naming the call', () =>
    checkAlerts(inbox, deployment, 2, /s3:\w+ on s3:\/\/no-such-bucket/),
  );

  const kill = killAt(deployment, 'commit', (action) => action === 'glue:UpdateTable');
  const mended = await redrive(stage, 'redrive, the Commit worker killed in the middle', broken, 2, {
    functions: { open },
  });
  kill.stop();
  await steps.check('it ended SUCCEEDED', async () => checkStatus([mended], 'SUCCEEDED'));
  await steps.check('what is larger than a unit was staged in parts', () =>
    checkParts(deployment, lake, landings, mended),
  );
  await steps.check('the killed worker was retried', async () => checkKilled(kill.killed(), [mended], 'Commit'));
  await steps.step('the same on the laptop', () => runLaptop(lake, pipeline, landings));
  await steps.check('tables equal the laptop after the redrives', () => checkTables(deployment, lake.root));
  await steps.check('no further alert', () => checkAlerts(inbox, deployment, 2, /no-such-bucket/));
}

/** Files of a source whose rejections count by key are taken in turn, by one worker; of any other each part has one. */
async function checkParts(
  { pipeline }: Stage['deployment'],
  lake: Stage['lake'],
  landings: readonly Landing[],
  { events }: Ended,
): Promise<Outcome> {
  const { sources } = await lake.deps.specs(pipeline);
  const keyed = new Set(sources.filter(({ key = [] }) => key.length > 0).map(({ name }) => name));
  const sizes = await Promise.all(
    landings.filter(({ source }) => !keyed.has(source)).map(async ({ path }) => (await stat(path)).size),
  );
  const least = sizes.reduce((sum, size) => sum + (size > SMALL_UNIT ? Math.ceil(size / SMALL_UNIT) : 0), 0);
  const workers = events.filter(({ kind, state }) => kind === 'succeeded' && state === 'Stage').length;
  return {
    problems: workers >= least ? [] : [`${workers} workers staged them; expected ${least} or more`],
    detail: `${Math.max(0, ...sizes)} bytes, units of ${SMALL_UNIT}: ${workers} workers`,
  };
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
