import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetTablesCommand, GlueClient } from '@aws-sdk/client-glue';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { createGlueCatalog } from '../../lib/adapters/catalog/glue.ts';
import { createStepFunctionsExecutions } from '../../lib/adapters/executions/step-functions.ts';
import { wakeExecution } from '../../lib/adapters/executions/wake.ts';
import { createS3Store } from '../../lib/adapters/store/s3.ts';
import type { Asked } from '../../lib/core/asked.ts';
import type { RunResult } from '../../lib/core/run.ts';
import type { PipelineSpec } from '../../lib/core/spec.ts';
import { parseMetadata, renderMetadata } from '../../lib/iceberg/json.ts';
import { currentSnapshot } from '../../lib/iceberg/snapshot.ts';
import { decide as decideFirst, readApproval } from '../../lib/lake/gate/gate-folder.ts';
import { runFolder } from '../../lib/lake/run/run-folder.ts';
import { carryOut } from '../../lib/remote/carry-out.ts';
import { type DecideRequest, decideGated } from '../../lib/runtime/decide-gated.ts';
import { landFiles } from '../../lib/runtime/land-files.ts';
import { subscribeInbox } from './alerts.ts';
import { checkAlerts, checkBuckets, checkGrants, checkReleased, checkTables } from './checks.ts';
import { type Deployment, type DeployOptions, deploy, functionNamed, readObject } from './deployment.ts';
import { openLaptop } from './laptop.ts';
import { clientSettings } from './moto-api.ts';
import { addToLake, FIXTURES, synthesizeFixture } from './of-fixture.ts';
import { withSmallWorker, withSpec } from './other-spec.ts';
import { isDataFile, killAt, type RunChanges, startByHand, startedExecutions } from './runs.ts';
import { checkKilled, land, runAll, type Stage } from './stage.ts';
import type { Outcome, Steps } from './steps.ts';
import { resolveText } from './template.ts';
import type { Landing } from './uploads.ts';

/** The pipeline of this part, below `pipelines` beside this file. */
export const PIPELINE = 'decided';
const APPROVED = { decision: 'approved', by: 'ann', reason: 'sums agree with the ledger' } as const;
const REJECTED = { decision: 'rejected', by: 'bob', reason: 'the day is not closed' } as const;

/**
 * A pipeline whose runs are decided about: one run is approved while its execution waits, one is rejected, nobody decides about one, and one
 * that takes the files of these is approved before its execution could wait; it also compares the texts of its gold table, which units aggregate.
 */
export async function rehearseGate(options: Omit<DeployOptions, 'assembly' | 'pipeline'>, steps: Steps): Promise<void> {
  const { folder, endpoint } = options;
  await rm(folder, { recursive: true, force: true });
  const lake = await openLaptop(join(folder, 'laptop'), FIXTURES);
  const deployment = await steps.step('synthesize, and deploy', async () => {
    const assembly = await synthesizeFixture(await lake.deps.specs(PIPELINE), join(folder, 'cdk.out'));
    await addToLake(endpoint, options.lake, assembly);
    return deploy({ ...options, assembly, pipeline: PIPELINE });
  });
  const inbox = await subscribeInbox(endpoint, deployment.topicArn, `${deployment.stack.name}-inbox`);
  const stage: Stage = { deployment, steps, inbox, folder, lake, messages: [] };
  const [first, second] = await Promise.all([salesOf(folder, 1), salesOf(folder, 2)]);
  try {
    await rehearseApproval(stage, first);
    await rehearseRejection(stage, second);
    await rehearseExpiry(stage);
    await rehearseNext(stage);
    await steps.check('nothing is left locked', () => checkReleased(deployment));
    await steps.check('every call was granted by its role', async () => checkGrants(deployment));
    await steps.check('buckets deny calls without TLS, and no others', async () => checkBuckets(deployment));
  } finally {
    await deployment.pool.close();
  }
}

const SALES = 4_000;
const SHOPS = 4;
/** Less than the sales of two days, and more than those of one. */
const SMALL_WORKER = 20_000;

async function salesOf(folder: string, day: number): Promise<Landing> {
  const path = join(folder, `${day}.csv`);
  const rows = Array.from({ length: SALES }, (_, n) => `shop ${n % SHOPS},${day * ((n * 7_919) % 100_003)}`);
  await writeFile(path, `shop,amount\n${rows.join('\n')}\n`);
  return { source: 'sales', path };
}

/** Nothing is published until somebody has said so, who is told of it once. */
async function rehearseApproval(stage: Stage, landing: Landing): Promise<void> {
  const { deployment, steps, inbox } = stage;
  await land(stage, [landing]);
  let published: readonly string[] = ['nobody has looked'];
  const onWait = async (): Promise<void> => {
    published = await publishedBy(deployment);
  };
  const result = await decideAwaited(stage, 'run that waits, and is approved', { decision: APPROVED, onWait });
  await steps.check('nothing was published while it waited', async () => ({
    problems: published.map((name) => `there is ${name}`),
  }));
  await steps.check('who approved is told that it has succeeded', async () => checkResult(result, 'SUCCEEDED'));
  await steps.check('one alert, that it awaits approval', () => checkAlerts(inbox, deployment, 1, /approve/));
  await steps.step('the same on the laptop', () => runLaptop(stage, { landings: [landing], decision: APPROVED }));
}

async function rehearseRejection(stage: Stage, landing: Landing): Promise<void> {
  const { deployment, steps, inbox } = stage;
  const before = await publishedBy(deployment);
  await land(stage, [landing]);
  const name = 'run that waits, and is rejected';
  const result = await decideAwaited(stage, name, { decision: REJECTED, status: 'FAILED' });
  await steps.check('who rejected is told that it has failed', async () => checkResult(result, 'FAILED'));
  await steps.check('an alert, that it awaits approval, and one, of who rejected it and why', () =>
    checkAlerts(inbox, deployment, 3, /rejected by bob.*not closed/s),
  );
  await steps.check('the table of approvals has it', () => checkEntered(stage, 2));
  await steps.check('nothing of it was published', async () => {
    const after = await publishedBy(deployment);
    const problems =
      after.join() === before.join() ? [] : [`there is ${after.join()}; before it there was ${before.join()}`];
    return { problems: before.length === 0 ? ['nothing was published before it'] : problems };
  });
  await steps.check('nothing is left locked by the rejected run', () => checkReleased(deployment));
  await steps.step('the same on the laptop', () =>
    runLaptop(stage, { landings: [landing], decision: REJECTED, status: 'FAILED' }),
  );
}

/** So long that the function has hung the bell, and no longer. */
const SHORT_MS = 1_000;

/** Nobody decides about a run in time: its execution goes on by itself, and rejects it. */
async function rehearseExpiry(stage: Stage): Promise<void> {
  const { deployment, steps, inbox, lake, folder } = stage;
  const run = { pipeline: PIPELINE, run_id: 'forgotten-of-the-rehearsal', dry_run: false };
  const short = ({ promote, ...spec }: PipelineSpec): PipelineSpec => {
    return promote === undefined ? spec : { ...spec, promote: { ...promote, expiresMs: SHORT_MS } };
  };
  const open = await withSpec(functionNamed(deployment, 'open'), PIPELINE, join(folder, 'short'), short);
  await startByHand(deployment, run);
  await runAll(stage, 'run that nobody decides about', { functions: { open } }, 'FAILED');
  await steps.check('an alert, that it awaits approval, and one, that nobody has decided', () =>
    checkAlerts(inbox, deployment, 5, /rejected by expiry.*nobody decided/s),
  );
  await steps.check('the table of approvals has that too', () => checkEntered(stage, 3));
  await steps.step('the same on the laptop', async () => {
    const { store } = lake.deps;
    const waits = await lake.run({ pipeline: PIPELINE, runId: run.run_id });
    const approval = await readApproval(personOf(stage).store, run);
    if (waits.kind !== 'awaiting' || approval === undefined)
      throw new Error(`it does not wait: ${JSON.stringify(waits)}`);
    // There nobody waits for time to pass.
    await decideFirst(store, run, approval);
    await lake.run({ pipeline: PIPELINE, runId: run.run_id });
  });
}

/** The table that people query has so many decisions. */
async function checkEntered(stage: Stage, rows: number): Promise<Outcome> {
  const table = await personOf(stage).catalog.load({ pipeline: PIPELINE, layer: 'ops', name: 'approvals' });
  const { summary } = (table && currentSnapshot(table.metadata)) ?? { summary: {} };
  const found = Object(summary)['total-records'];
  return { problems: found === String(rows) ? [] : [`it has ${found} rows; expected ${rows}`] };
}

/**
 * What is decided before the bell hangs is heard all the same: the function that hangs it rings it. Units aggregate the gold table, whose
 * worker is too small for it; the Level worker is killed, so that functions of their own do its work.
 */
async function rehearseNext(stage: Stage): Promise<void> {
  const { deployment, steps, lake, folder } = stage;
  const run_id = 'next-of-the-rehearsal';
  const open = await withSmallWorker(functionNamed(deployment, 'open'), PIPELINE, join(folder, 'small'), SMALL_WORKER);
  await startByHand(deployment, { pipeline: PIPELINE, run_id, dry_run: false, shadow: true });
  const onTask = async (state: string): Promise<void> => {
    if (state === 'AwaitDecision') await decideGated(personOf(stage), run_id, APPROVED);
  };
  const kill = killAt(deployment, 'level', isDataFile);
  const name = 'next run, which compares texts, approved before it waits, the Level worker killed in the middle';
  const ended = await runAll(stage, name, { onTask, functions: { open } });
  kill.stop();
  await steps.check('the killed Level worker left its work to others', async () =>
    checkKilled(kill.killed(), ended, 'Level'),
  );
  await steps.check('who was too early to be waited for was heard, and units made the gold table', async () => ({
    problems: [
      ...missingCall(deployment, 'await-decision', 'states:SendTaskSuccess', machineName(deployment)),
      ...missingCall(deployment, 'merge', 's3:PutObject', `/gold/${PIPELINE}/totals/`),
    ],
  }));
  await steps.check('its result says that both texts make the same rows', () => checkParity(stage, run_id));
  await steps.step('the same on the laptop', () => runLaptop(stage, { decision: APPROVED, asked: { shadow: true } }));
  await steps.check('with the files of the rejected run, and what texts make, tables equal the laptop', () =>
    checkTables(deployment, lake.root),
  );
}

function machineName({ machineArn }: Deployment): string {
  return machineArn.split(':').at(-1) ?? machineArn;
}

/** What its grants are for. */
function missingCall({ gateway, stack }: Deployment, name: string, action: string, of: string): readonly string[] {
  const seen = gateway
    .calls()
    .some(
      (call) =>
        call.principal.startsWith(`${stack.name}-${name}.`) &&
        call.action === action &&
        call.resources.join().includes(of) &&
        call.status < 300,
    );
  return seen ? [] : [`${name} did not call ${action} on ${of}`];
}

async function checkParity({ deployment }: Stage, run_id: string): Promise<Outcome> {
  const { buckets } = deployment;
  const key = runFolder.result({ pipeline: PIPELINE, run_id, dry_run: false });
  const { parities = [] } = (await readObject(deployment, buckets.ops, key)) as unknown as RunResult;
  const found = parities.map(({ model, left, right, equal, rows }) => [model, left, right, equal, rows].join(' '));
  const expected = `gold.totals current candidate true ${SHOPS}`;
  return { problems: found.join() === expected ? [] : [`it says ${found.join() || 'nothing'}; expected ${expected}`] };
}

type Awaited = {
  readonly decision: DecideRequest;
  readonly status?: 'SUCCEEDED' | 'FAILED';
  readonly onWait?: () => Promise<void>;
};

/** Has the run that lands decided about as soon as its execution waits; answers what whoever decided is told. */
async function decideAwaited(stage: Stage, name: string, awaited: Awaited): Promise<RunResult | undefined> {
  const { deployment } = stage;
  const [{ name: run_id } = { name: '' }] = await startedExecutions(deployment);
  const run = { pipeline: PIPELINE, run_id, dry_run: false };
  let told: Promise<RunResult | undefined> | undefined;
  const onWait = async (): Promise<void> => {
    await awaited.onWait?.();
    const person = personOf(stage);
    await decideGated(person, run_id, awaited.decision);
    told = carryOut(person, run);
  };
  await runAll(stage, name, { onWait } satisfies RunChanges, awaited.status);
  return told;
}

/** What `strata approve --aws` works with, whose calls pass the gateway: there somebody knows who waits. */
function personOf({ deployment, folder }: Stage) {
  const { gateway, machineArn, lake } = deployment;
  const settings = clientSettings(gateway.endpoint);
  const sfn = new SFNClient(settings);
  const output = (name: string): string => resolveText(lake.template.Outputs?.[name]?.Value, lake.world);
  const store = createS3Store({
    client: new S3Client({ ...settings, forcePathStyle: true, maxAttempts: 1 }),
    buckets: { silver: output('SilverBucket'), gold: output('GoldBucket'), ...deployment.buckets },
    scratch: join(folder, 'person'),
  });
  const codec = { parse: parseMetadata, render: renderMetadata };
  return {
    store,
    catalog: createGlueCatalog({ client: new GlueClient(settings), store, codec, databasePrefix: '' }),
    clock: { now: () => new Date() },
    executions: createStepFunctionsExecutions(sfn, machineArn),
    wake: (token: string) => wakeExecution(sfn, token),
    ids: { unique: () => 'anew' },
    // Looks are 300 in all.
    wait: () => sleep(200),
  };
}

type OnLaptop = {
  readonly landings?: readonly Landing[];
  readonly decision: DecideRequest;
  readonly status?: 'SUCCEEDED' | 'FAILED';
  readonly asked?: Asked;
};

async function runLaptop({ lake }: Stage, { landings = [], decision, status, asked }: OnLaptop): Promise<void> {
  const pipeline = PIPELINE;
  for (const { source, path } of landings) await landFiles(lake.deps, { pipeline, source, files: [path] });
  const answer = await lake.run({ pipeline, ...asked });
  if (answer.kind !== 'awaiting') throw new Error(`the laptop's run does not wait: ${JSON.stringify(answer)}`);
  const runId = answer.awaiting.run_id;
  await decideGated(lake.deps, runId, decision);
  const ended = await lake.run({ pipeline, runId });
  if (ended.kind === 'ended' && ended.result.status === (status ?? 'SUCCEEDED')) return;
  throw new Error(`the laptop's run ended otherwise: ${JSON.stringify(ended)}`);
}

/** What readers find: tables, and in which state. */
async function publishedBy({ endpoint, pipeline }: Deployment): Promise<readonly string[]> {
  const glue = new GlueClient(clientSettings(endpoint));
  const found = await Promise.all(
    ['silver', 'gold'].map((layer) => glue.send(new GetTablesCommand({ DatabaseName: `${pipeline}_${layer}` }))),
  );
  return found.flatMap(({ TableList = [] }) =>
    TableList.map(
      ({ DatabaseName, Name, Parameters }) => `${DatabaseName}.${Name} ${Parameters?.['metadata_location']}`,
    ),
  );
}

function checkResult(result: RunResult | undefined, status: RunResult['status']): Outcome {
  return { problems: result?.status === status ? [] : [`the result is ${JSON.stringify(result)}`] };
}
