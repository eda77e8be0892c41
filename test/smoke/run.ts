import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { strataHere } from '../cli/child.ts';
import { createSteps } from '../rehearsal/steps.ts';
import { cdk, openDeployed } from './deployed.ts';
import { PIPELINES, runSmoke } from './smoke.ts';

/**
 * `npm run smoke:aws -- --yes [--stage smoke] [--keep]`: deploys a stage of its own into the account of the caller, runs it
 * and compares it with the laptop, and removes it with its data; see docs/aws.md. It costs cents, and needs the rights of
 * a deploy and the AWS CLI. `--keep` leaves the stage. Ends with 1 on any difference, 2 without `--yes`.
 */
const { values } = parseArgs({
  options: {
    stage: { type: 'string', default: 'smoke' },
    keep: { type: 'boolean', default: false },
    yes: { type: 'boolean', default: false },
  },
});
const { stage, keep, yes } = values;
if (!yes) {
  console.error(`this deploys the stage ${stage} into your account, and removes it with its data: say --yes`);
  process.exit(2);
}
const folder = await mkdtemp(join(tmpdir(), 'strata-smoke-'));
const steps = createSteps(console.log);
try {
  await steps.check('what a deploy needs is there', async () => {
    const { code, stdout } = await strataHere(['doctor', '--aws', '--stage', stage, '--pipelines', PIPELINES]);
    return { problems: code === 0 ? [] : [stdout] };
  });
  if (steps.problems() === 0) {
    await steps.step('deploy', () => cdk('deploy', stage, folder));
    const account = await openDeployed(stage);
    await runSmoke({ account, steps, folder: join(folder, 'files'), largeBytes: 17 * 2 ** 20 });
  }
} catch (cause) {
  console.error(cause);
  process.exitCode = 1;
} finally {
  if (!keep) await steps.step('destroy', () => cdk('destroy', stage, folder));
  await rm(folder, { recursive: true, force: true });
}
console.log(`${steps.problems()} problems`);
if (steps.problems() > 0) process.exitCode = 1;
