import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { executeMaintenance } from '../../lib/runtime/maintain.ts';
import { subscribeInbox } from './alerts.ts';
import { rehearseBurst } from './burst.ts';
import {
  checkAlerts,
  checkBuckets,
  checkEnvironments,
  checkGrants,
  checkReleased,
  checkTables,
  checkWiring,
} from './checks.ts';
import { type Deployment, type DeployOptions, deploy } from './deployment.ts';
import { executionEnded, functionsReached, messageOf } from './events.ts';
import { rehearseFailure } from './failing.ts';
import { type FunctionsApi, runInterpreted } from './interpreter.ts';
import { openLaptop, runLaptop } from './laptop.ts';
import { checkVersions, redeploy } from './redeploy.ts';
import { checkRequests, countRequests } from './requests.ts';
import {
  countExecutions,
  deliver,
  isDataFile,
  killAt,
  runStarted,
  startAsScheduled,
  startByHand,
  startedExecutions,
} from './runs.ts';
import { checkKilled, checkStatus, describeEnd, land, runAll, type Stage } from './stage.ts';
import type { Steps } from './steps.ts';
import { type Landing, uploadsFor } from './uploads.ts';

/** The branch and the period that are rehearsed, where there is such a branch. */
const MONTHLY = { branch: 'monthly', period: '2024-10' } as const;

/** Rehearses one pipeline from its deployment on; what differs is counted in `steps`. */
export async function rehearse(
  options: DeployOptions & { readonly functions: FunctionsApi },
  steps: Steps,
): Promise<void> {
  const { pipeline, folder } = options;
  await rm(folder, { recursive: true, force: true });
  const deployment = await steps.step(
    'deploy',
    () => deploy(options),
    ({ stack }) => describeMakers(stack.makers),
  );
  const inbox = await subscribeInbox(options.endpoint, deployment.topicArn, `${deployment.stack.name}-inbox`);
  const [first, second, third] = await uploadsFor(pipeline, join(folder, 'uploads'));
  const lake = await openLaptop(join(folder, 'laptop'));
  const stage: Stage = { deployment, steps, inbox, folder, lake, messages: [] };
  try {
    await steps.check('events go where the template says', () => checkWiring(deployment, options.lake));
    await rehearseFirst(stage, first);
    await rehearseBurst(stage, first);
    const anew: Stage = { ...stage, deployment: await rehearseDeploy(stage, second) };
    await rehearseFailure(anew, third);
    await rehearseBackfill(anew, options.functions);
    await rehearseCompaction(anew);
    await rehearseRepeats(anew);
    await rehearseStop(anew);
    await rehearseSchedule(anew);
    await rehearseBranch(anew);
    await rehearseDue(anew);
    await rehearseForgetting(anew);
    await steps.check('nothing is left locked', () => checkReleased(deployment));
    await steps.check('environments were reused and fresh ones started', async () => checkEnvironments(deployment));
    await steps.check('every call was granted by its role', async () => checkGrants(deployment));
    await steps.check('buckets deny calls without TLS, and no others', async () => checkBuckets(deployment));
  } finally {
    await deployment.pool.close();
  }
}

async function rehearseFirst(stage: Stage, landings: readonly Landing[]): Promise<void> {
  const { steps, lake, deployment } = stage;
  await land(stage, landings);
  const requests = countRequests(deployment);
  const ended = await runAll(stage, 'run');
  requests.stop();
  await steps.check('its result counts the requests that S3 was sent', () =>
    checkRequests(deployment, requests, ended),
  );
  await steps.step('the same on the laptop', () => runLaptop(lake, deployment.pipeline, landings));
  await steps.check('tables equal the laptop, row for row', () => checkTables(deployment, lake.root));
}

/**
 * The worker that writes the second upload's files is killed at the first of them; before the state that takes up its work the pipeline is deployed
 * once more. Answers what is deployed then.
 */
async function rehearseDeploy(stage: Stage, landings: readonly Landing[]): Promise<Deployment> {
  const { steps, lake, deployment } = stage;
  await land(stage, landings);
  const kill = killAt(deployment, 'level', isDataFile);
  let anew: Deployment | undefined;
  const onTask = async (state: string): Promise<void> => {
    if (state === 'PlanStage') anew ??= await redeploy(deployment);
  };
  const ended = await runAll(stage, 'run, the Level worker killed in the middle, and a deploy after it', { onTask });
  kill.stop();
  await steps.check('it called the versions that it began with alone', async () => checkVersions(deployment, ended));
  await steps.check('each step of the level got a worker of its own', async () => {
    const { problems, detail = '' } = checkKilled(kill.killed(), ended, 'Level');
    const called = ended.flatMap(({ events }) => events.map(({ state }) => state));
    const missing = ['PlanStage', 'Stage', 'PlanMerge', 'Audit'].filter((state) => !called.includes(state));
    return { problems: [...problems, ...missing.map((state) => `${state} was not called`)], detail };
  });
  await steps.step('the same on the laptop', () => runLaptop(lake, deployment.pipeline, landings));
  await steps.check('the second upload merged: tables equal the laptop', () => checkTables(deployment, lake.root));
  if (anew === undefined) throw new Error('nothing was deployed between two states');
  return anew;
}

/**
 * All tables anew, from all three uploads, by an interpreter that is not ours; a worker that publishes nothing yet is killed, and
 * the committer.
 */
async function rehearseBackfill(stage: Stage, functions: FunctionsApi): Promise<void> {
  const { steps, lake, deployment } = stage;
  const { pipeline } = deployment;
  const input = { pipeline, run_id: 'backfill-of-the-rehearsal', dry_run: false, backfill: {} };
  const levels = killAt(deployment, 'level', isDataFile);
  const stages = killAt(deployment, 'stage', (action, key) => action === 's3:PutObject' && !key.includes('/attempts/'));
  const commits = killAt(deployment, 'commit', (action) => action === 'glue:UpdateTable');
  const ended = await steps.step(
    "backfill by moto's interpreter, the Level worker, a Stage worker and the Commit worker killed in the middle",
    async () => [await runInterpreted(deployment, functions, input)],
    (all) => all.map(describeEnd).join('; '),
  );
  await steps.check('it ended SUCCEEDED', async () => checkStatus(ended, 'SUCCEEDED'));
  levels.stop();
  stages.stop();
  commits.stop();
  await steps.check('the killed Level worker left its work to others', async () =>
    checkKilled(levels.killed(), ended, 'Level'),
  );
  await steps.check('the killed Stage worker was retried', async () => checkKilled(stages.killed(), ended, 'Stage'));
  await steps.check('the killed Commit worker was retried', async () => checkKilled(commits.killed(), ended, 'Commit'));
  await steps.step('the same on the laptop', () => runLaptop(lake, pipeline, [], { backfill: {} }));
  await steps.check('made anew, tables equal the laptop', () => checkTables(deployment, lake.root));
}

/** All rows are written anew beside the runs, by a state machine of its own; the worker is killed, and the committer. */
async function rehearseCompaction(stage: Stage): Promise<void> {
  const { steps, lake } = stage;
  const { pipeline, maintenance } = stage.deployment;
  const deployment = { ...stage.deployment, ...maintenance };
  const asked = { min_files: 2, all: true };
  const run_id = 'compaction-of-the-rehearsal';
  await startByHand(deployment, { pipeline, run_id, dry_run: false, kind: 'maintenance', compact: asked });
  const rewrites = killAt(
    deployment,
    'rewrite',
    (action, key) => action === 's3:PutObject' && !key.includes('/attempts/'),
  );
  const commits = killAt(deployment, 'commit-rewrite', (action) => action === 'glue:UpdateTable');
  const ended = await runAll(
    { ...stage, deployment },
    'compaction, a Rewrite worker and the CommitRewrite worker killed in the middle',
  );
  rewrites.stop();
  commits.stop();
  await steps.check('the killed Rewrite worker was retried', async () =>
    checkKilled(rewrites.killed(), ended, 'Rewrite'),
  );
  await steps.check('the killed CommitRewrite worker was retried', async () =>
    checkKilled(commits.killed(), ended, 'CommitRewrite'),
  );
  await steps.step('the same on the laptop', async () => {
    const answer = await lake.compact({ pipeline, runId: run_id, compact: asked });
    if (answer.kind !== 'ended' || answer.result.status !== 'SUCCEEDED') throw new Error(JSON.stringify(answer));
  });
  await steps.check('compacted, tables equal the laptop', () => checkTables(deployment, lake.root));
}

/** Of a pipeline with branches: a period of one, and once more, which finds that it is done. */
async function rehearseBranch(stage: Stage): Promise<void> {
  const { deployment, steps, lake } = stage;
  const { pipeline } = deployment;
  const { schedules = [] } = await lake.deps.specs(pipeline);
  if (!schedules.some(({ name }) => name === MONTHLY.branch)) return;
  const input = (run_id: string) => ({ pipeline, run_id, dry_run: false, ...MONTHLY });
  await startByHand(deployment, input('branch-of-the-rehearsal'));
  await runAll(stage, 'run of a branch, for a period of before');
  await steps.step('the same on the laptop', () => runLaptop(lake, pipeline, [], MONTHLY));
  await steps.check('with the tables of the branch they equal the laptop', () => checkTables(deployment, lake.root));
  await startByHand(deployment, input('branch-of-the-rehearsal-again'));
  await steps.check('once more, it finds that the period is done', async () => {
    const [ended, ...others] = await runStarted(deployment, await startedExecutions(deployment));
    const output =
      ended?.result.status === 'SUCCEEDED' ? (ended.result.output as { branch_done?: { why?: string } }) : {};
    const expected = output.branch_done?.why === 'done' && others.length === 0;
    return { problems: expected ? [] : [`it ended ${JSON.stringify(ended?.result)}`] };
  });
}

/** What a run has found to be due is started once, however often that is asked for, and done. */
async function rehearseDue({ deployment, steps, lake }: Stage): Promise<void> {
  const { pipeline, maintenance } = deployment;
  const request = { operations: ['vacuum'] } as const;
  await steps.check('maintenance that is due is started once, and ends well', async () => {
    const fn = [...deployment.functions.values()].find(({ name }) => name.endsWith('-maintain-after'));
    if (fn === undefined) return { problems: ['no function starts maintenance'] };
    const event = {
      run: { pipeline, run_id: 'due-in-the-rehearsal', dry_run: false },
      maintenance: { request, why: [] },
    };
    const answers = [await deployment.pool.invoke(fn, event), await deployment.pool.invoke(fn, event)];
    const machine = { ...deployment, ...maintenance };
    const ended = await runStarted(machine, await startedExecutions(machine));
    const problems = answers.flatMap((one) => (one.kind === 'error' ? [JSON.stringify(one.error)] : []));
    if (ended.length !== 1) problems.push(`${ended.length} executions began; expected 1`);
    return { problems: [...problems, ...checkStatus(ended, 'SUCCEEDED').problems] };
  });
  await steps.step('the same on the laptop', () =>
    executeMaintenance(lake.deps, {
      ...{ pipeline, run_id: 'due-in-the-rehearsal', dry_run: false, kind: 'maintenance' },
      maintenance: request,
    }),
  );
}

/** Old snapshots go, and what nothing needs; the worker is killed at the commit of the one and at a removal of the other. */
async function rehearseForgetting(stage: Stage): Promise<void> {
  const { steps, lake } = stage;
  const { pipeline, maintenance: machine } = stage.deployment;
  const deployment = { ...stage.deployment, ...machine };
  const now = { older_than_ms: 0, force_retention: true };
  const acts = [
    ['expire', { operations: ['expire'], expire: { ...now, keep: 1 } }, 'glue:UpdateTable'],
    ['vacuum', { operations: ['vacuum'], vacuum: now }, 's3:DeleteObject'],
  ] as const;
  for (const [name, maintenance, moment] of acts) {
    const input = {
      pipeline,
      run_id: `${name}-of-the-rehearsal`,
      dry_run: false,
      kind: 'maintenance',
      maintenance,
    } as const;
    await startByHand(deployment, input);
    const sweeps = killAt(deployment, 'sweep', (action) => action === moment);
    const ended = await runAll({ ...stage, deployment }, `${name}, the Sweep worker killed in the middle`);
    sweeps.stop();
    await steps.check('the killed Sweep worker was retried', async () => checkKilled(sweeps.killed(), ended, 'Sweep'));
    await steps.step('the same on the laptop', () => executeMaintenance(lake.deps, input));
    await steps.check('tables equal the laptop', () => checkTables(deployment, lake.root));
  }
}

/** Every event once more after all runs have ended, in one batch, with a message that is no event. */
async function rehearseRepeats(stage: Stage): Promise<void> {
  const { deployment, steps, messages } = stage;
  await steps.check('events that come again start nothing', async () => {
    const before = await countExecutions(deployment);
    const junk = { messageId: 'junk', body: '{"detail-type":"Scheduled Event"}' };
    const { failed } = await deliver(deployment, [messages.toReversed(), [junk]]);
    const problems = [];
    if (failed.join() !== junk.messageId) problems.push(`the Starter wants again: ${failed.join() || 'nothing'}`);
    const started = (await countExecutions(deployment)) - before;
    if (started !== 0) problems.push(`${started} executions began`);
    return { problems, detail: `${messages.length} events` };
  });
}

/** An execution that is stopped never comes to its own alert: a rule tells the Starter, here twice. */
async function rehearseStop({ deployment, steps, inbox }: Stage): Promise<void> {
  await steps.check('a stopped execution alerts once', async () => {
    const event = executionEnded(deployment.machineArn, 'stopped-by-hand', 'ABORTED', new Date());
    const reached = functionsReached(deployment.stack.template, deployment.stack.world, event);
    const problems =
      reached.length === 1 ? [] : [`the event reaches ${reached.join() || 'nobody'}; expected the Starter`];
    const { failed } = await deliver(deployment, [[messageOf(event)], [messageOf(event)]]);
    if (failed.length > 0) problems.push(`the Starter wants ${failed.length} messages again`);
    const alerts = await checkAlerts(inbox, deployment, 3, /stopped-by-hand/);
    return { ...alerts, problems: [...problems, ...alerts.problems] };
  });
}

/** What the scheduler would send starts a run, which finds that everything is done. */
async function rehearseSchedule({ deployment, steps }: Stage): Promise<void> {
  const scheduled = await startAsScheduled(deployment, 'scheduled-by-the-rehearsal');
  if (!scheduled) return;
  await steps.check('the schedule starts a run, which finds nothing to do', async () => {
    const [ended, ...others] = await runStarted(deployment, await startedExecutions(deployment));
    const status =
      ended?.result.status === 'SUCCEEDED' ? (ended.result.output as { status?: string }).status : 'failed';
    const expected = status === 'nothing' && others.length === 0;
    return { problems: expected ? [] : [`it ended ${JSON.stringify(ended?.result)}`] };
  });
}

function describeMakers(makers: Deployment['stack']['makers']): string {
  const of = (wanted: string): string =>
    [...makers]
      .flatMap(([type, { maker, count }]) => (maker === wanted ? [`${count} ${type.slice(5)}`] : []))
      .join(', ');
  return `\n${['cloudformation', 'api', 'harness', 'none'].map((maker) => `               by ${maker}: ${of(maker)}`).join('\n')}`;
}
