import assert from 'node:assert/strict';
import { join } from 'node:path';
import { AthenaClient } from '@aws-sdk/client-athena';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { GlueClient } from '@aws-sdk/client-glue';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { createS3Store } from '../../lib/adapters/store/s3.ts';
import type { AfterError } from '../../lib/core/run.ts';
import type { JsonValue, ObjectStore } from '../../lib/ports.ts';
import type { StateMachineResult } from '../../lib/runtime/state-machine.ts';
import { compareTables, countObjects, type Listener, listen, requireUnlocked } from './checks.ts';
import { type Execution, type Machine, readMachine, redrive, runExecution, waitingExecutions } from './execution.ts';
import { inputsOf, type Rehearsed } from './inputs.ts';
import { type LambdaPool, openLambdas } from './lambdas.ts';
import { runOnLaptop } from './laptop.ts';
import type { Moto } from './moto-calls.ts';
import { createStack, prepare } from './provision.ts';
import { readTemplate } from './templates.ts';
import { deliveries, matches, readPattern, type S3Event, type Upload, upload } from './uploads.ts';

export type Request = {
  readonly pipeline: Rehearsed;
  readonly moto: Moto;
  /** The synthesized templates. */
  readonly assembly: string;
  /** The built bundles for this machine. */
  readonly bundles: string;
  readonly work: string;
};

/** What is deployed, and the ways to it. */
type Deployed = {
  readonly pipeline: string;
  readonly moto: Moto;
  readonly s3: S3Client;
  readonly sfn: SFNClient;
  readonly store: ObjectStore;
  readonly lambdas: LambdaPool;
  readonly machine: Machine;
  readonly starter: string;
  readonly bronze: string;
  readonly listener: Listener;
};

/** Deploys a pipeline, runs its files through it in three uploads, and checks what came out. Throws at the first difference. */
export async function rehearse(request: Request): Promise<void> {
  const { pipeline, moto, work } = request;
  const { batches, real } = await inputsOf(pipeline, join(work, 'inputs'));
  const [first, second, third] = batches;
  const deployed = await timed(`deploy ${pipeline}`, () => deploy(request));
  try {
    await timed('laptop', () => runOnLaptop(join(work, 'laptop'), pipeline, batches));
    await timed(`first upload (${first.length} ${real ? 'real' : 'generated'} files)`, () =>
      runUpload(deployed, first),
    );
    await timed(`second upload (${second.length} files), a worker of Stage killed`, async () => {
      deployed.lambdas.killNext('stage', 20);
      await runUpload(deployed, second);
      assert.equal(deployed.lambdas.counts.killed, 1, 'no worker was killed');
    });
    await timed('third upload, a bucket missing: FAILED, one alert, then redriven', () =>
      failAndRedrive(deployed, third),
    );
    const tables = await timed('compare every table with the laptop, through PyIceberg', () =>
      compareTables(moto, join(work, 'laptop'), pipeline),
    );
    for (const [table, rows] of Object.entries(tables)) console.log(`    ${table}: ${rows} rows`);
    await requireUnlocked(deployed.store, pipeline);
    const { fresh, reused, killed } = deployed.lambdas.counts;
    console.log(
      `    ${fresh} environments were started, ${reused} calls went into one that was there, ${killed} was killed`,
    );
    assert.ok(reused > 0 && fresh > 0);
  } finally {
    await deployed.lambdas.close();
  }
}

async function deploy({ pipeline, moto, assembly, bundles, work }: Request): Promise<Deployed> {
  const { endpoint, region } = moto;
  const config = { endpoint, region, credentials: { accessKeyId: 'rehearsal', secretAccessKey: 'rehearsal' } };
  const s3 = new S3Client({ ...config, maxAttempts: 1 });
  const clients = {
    s3,
    cloudFormation: new CloudFormationClient(config),
    glue: new GlueClient(config),
    athena: new AthenaClient(config),
  };
  await prepare(moto, clients);
  const outputs: Record<string, string> = {};
  for (const stack of ['strata-lake', `strata-${pipeline.replaceAll('_', '-')}`]) {
    const made = await createStack(moto, clients, stack, await readTemplate(assembly, stack));
    Object.assign(outputs, made.outputs);
    for (const line of made.made) console.log(`    ${stack}, ${line}`);
  }
  const output = (name: string): string => outputs[name] ?? assert.fail(`the stacks have no output ${name}`);
  const buckets = {
    bronze: output('BronzeBucket'),
    silver: output('SilverBucket'),
    gold: output('GoldBucket'),
    ops: output('OpsBucket'),
  };
  const sfn = new SFNClient(config);
  const sns = new SNSClient(config);
  const subscribe = (Endpoint: string): Promise<unknown> =>
    sns.send(new SubscribeCommand({ TopicArn: output('TopicArn'), Protocol: 'sqs', Endpoint }));
  return {
    pipeline,
    moto,
    s3,
    sfn,
    store: createS3Store({ client: s3, buckets, scratch: work }),
    lambdas: openLambdas(moto, bundles, work),
    machine: await readMachine(sfn, output('StateMachineArn')),
    starter: `strata-${pipeline.replaceAll('_', '-')}-starter`,
    bronze: buckets.bronze,
    listener: await listen(moto, output('TopicArn'), subscribe),
  };
}

/** Uploads files, delivers their events twice and out of order, and runs the one execution that comes of it. */
async function runUpload(deployed: Deployed, uploads: readonly Upload[]): Promise<void> {
  const { result } = await startAndRun(deployed, uploads);
  if (result.status !== 'SUCCEEDED') throw new Error(`the execution FAILED: ${result.error}: ${result.cause}`);
  await requireUnlocked(deployed.store, deployed.pipeline);
  assert.equal((await deployed.listener.heard()).length, 0, 'a run that succeeds alerts nobody');
}

async function startAndRun(
  deployed: Deployed,
  uploads: readonly Upload[],
): Promise<{ readonly execution: Execution; readonly result: StateMachineResult }> {
  const { pipeline, moto, s3, sfn, machine } = deployed;
  const events = await upload(s3, moto, { bucket: deployed.bronze, pipeline }, uploads);
  await deliver(deployed, events);
  const waiting = await waitingExecutions(sfn, machine);
  assert.equal(waiting.length, 1, `one execution for ${uploads.length} uploads`);
  const execution = waiting[0] ?? assert.fail();
  const result = await runExecution(deployed, machine, execution);
  await deliver(deployed, events);
  assert.deepEqual(await waitingExecutions(sfn, machine), [], 'an event that comes again starts nothing');
  return { execution, result };
}

async function deliver({ moto, lambdas, starter }: Deployed, events: readonly S3Event[]): Promise<void> {
  const pattern = await readPattern(moto, starter.replace(/-starter$/, '-Uploaded'));
  for (const event of events) assert.ok(matches(pattern, event), `the rule lets ${event.id} through`);
  assert.ok(!matches(pattern, { ...events[0], source: 'aws.other' }));
  for (const batch of deliveries(events)) {
    assert.deepEqual(await lambdas.invoke(starter, batch), { batchItemFailures: [] });
  }
}

/** A bucket that is not there fails the run after staging; put right, a redrive finishes the job. */
async function failAndRedrive(deployed: Deployed, uploads: readonly Upload[]): Promise<void> {
  const { pipeline, lambdas, listener, store } = deployed;
  const before = await countObjects(store, `gold/${pipeline}/`);
  lambdas.override('audit', { STRATA_OPS_BUCKET: 'a-bucket-that-is-not-there' });
  const { execution, result } = await startAndRun(deployed, uploads);
  assert.equal(result.status, 'FAILED');
  assert.match(
    result.status === 'FAILED' ? result.cause : '',
    /InvalidInput: .*s3:\w+ on s3:\/\/a-bucket-that-is-not-there/,
  );
  const alerts = await listener.heard();
  assert.equal(alerts.length, 1, `one alert: ${JSON.stringify(alerts)}`);
  assert.match(alerts[0]?.message ?? '', new RegExp(`${execution.name}[^]*a-bucket-that-is-not-there`));
  await requireUnlocked(store, pipeline);
  assert.equal(await countObjects(store, `gold/${pipeline}/`), before, 'a failed run publishes nothing');
  assert.ok((await countObjects(store, `ops/${pipeline}/_audit/`)) >= 3, 'starter, Fail and Notify wrote audit rows');
  lambdas.override('audit', undefined);
  const failed = lambdas.lastInput('run-failed') as unknown as AfterError;
  const again = await redrive(deployed, deployed.machine, execution, failed.state as unknown as JsonValue);
  assert.equal(again.status, 'SUCCEEDED', JSON.stringify(again));
  assert.equal((await listener.heard()).length, 1, 'a redrive that succeeds alerts nobody');
}

async function timed<T>(what: string, act: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const answer = await act();
  console.log(`${what}: ${((performance.now() - started) / 1_000).toFixed(1)} s`);
  return answer;
}
