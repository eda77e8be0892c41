import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { CloudFormationClient, CreateStackCommand } from '@aws-sdk/client-cloudformation';
import { CreateDatabaseCommand, GlueClient } from '@aws-sdk/client-glue';
import { DeleteObjectCommand, PutBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateStateMachineCommand, SFNClient } from '@aws-sdk/client-sfn';
import { createS3Store } from '../../lib/adapters/store/s3.ts';
import type { StepDeps } from '../../lib/lake/deps.ts';
import { stateMachineFile } from '../../lib/package-files.ts';
import type { JsonValue } from '../../lib/ports.ts';
import { maintenanceHandlers, medallionHandlers } from '../../lib/runtime/handlers.ts';
import { openLocalLake } from '../../lib/runtime/local.ts';
import { openRemoteTables } from '../../lib/runtime/remote-tables.ts';
import { strataHere } from '../cli/child.ts';
import type { LambdaAnswer } from '../rehearsal/environment.ts';
import { asMotoReads, type FunctionsApi, startFunctionsApi } from '../rehearsal/interpreter.ts';
import { createSteps } from '../rehearsal/steps.ts';
import type { Account } from '../smoke/account.ts';
import { PIPELINES, runSmoke } from '../smoke/smoke.ts';
import { startMoto } from './moto-server.ts';

const STAGE = 'smoke';
const ZONES = ['bronze', 'silver', 'gold', 'ops'];
const log = { info: () => {}, warn: () => {} };

/** As stacks name what they have; the state machines are made beside them. */
const outputs = (of: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(of).map(([name, Value]) => [name, { Value }]));
const bucketOf = (zone: string): string => `strata-smoke-${zone}`;
const arnOf = (state: string): string => `arn:aws:lambda:us-east-1:123456789012:function:${state}`;

let api: FunctionsApi;
let stop = async (): Promise<void> => {};
const folder = mkdtempSync(join(tmpdir(), 'strata-smoke-'));

before(async () => {
  api = await startFunctionsApi();
  const moto = await startMoto({ functions: api.endpoint });
  stop = moto.stop;
  const credentials = { AWS_ACCESS_KEY_ID: 'interpreter', AWS_SECRET_ACCESS_KEY: 'x', AWS_REGION: 'us-east-1' };
  Object.assign(process.env, credentials, { AWS_ENDPOINT_URL: moto.endpoint });
});
after(async () => {
  await stop();
  await api.close();
  rmSync(folder, { recursive: true });
});

async function makeStacks(): Promise<void> {
  const client = new CloudFormationClient({});
  const make = (StackName: string, template: object): Promise<unknown> =>
    client.send(new CreateStackCommand({ StackName, TemplateBody: JSON.stringify(template) }));
  const buckets = ZONES.map((zone) => [zone, { Type: 'AWS::S3::Bucket', Properties: { BucketName: bucketOf(zone) } }]);
  const named = Object.fromEntries(
    ZONES.map((zone) => [`${zone[0]?.toUpperCase()}${zone.slice(1)}Bucket`, bucketOf(zone)]),
  );
  await make('strata-smoke-lake', {
    Resources: Object.fromEntries(buckets),
    Outputs: outputs({ ...named, Workgroup: 'primary', DatabasePrefix: 'smoke_' }),
  });
  const Bucket = bucketOf('bronze');
  await new S3Client({}).send(
    new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }),
  );
  for (const layer of ['silver', 'gold', 'ops'])
    await new GlueClient({}).send(new CreateDatabaseCommand({ DatabaseInput: { Name: `smoke_shop_${layer}` } }));
  const machines: string[] = [];
  for (const machine of ['medallion', 'maintenance']) {
    const definition = asMotoReads(readFileSync(stateMachineFile(machine), 'utf8'))
      .replaceAll(/\$\{(\w+)FunctionArn\}/g, (_, state: string) =>
        arnOf(machine === 'medallion' ? state : `of-${state}`),
      )
      .replaceAll('${OpsBucket}', bucketOf('ops'));
    const name = machine === 'medallion' ? 'strata-smoke-shop' : 'strata-smoke-shop_maintenance';
    const roleArn = 'arn:aws:iam::123456789012:role/any';
    const { stateMachineArn = '' } = await new SFNClient({}).send(
      new CreateStateMachineCommand({ name, definition, roleArn }),
    );
    machines.push(stateMachineArn);
  }
  const [StateMachineArn = '', MaintenanceStateMachineArn = ''] = machines;
  await make('strata-smoke-shop', {
    Resources: { Queue: { Type: 'AWS::SQS::Queue' } },
    Outputs: outputs({ StateMachineArn, MaintenanceStateMachineArn, TopicArn: 't' }),
  });
}

/** The steps as functions have them, over S3 and Glue. */
async function openSteps(): Promise<StepDeps> {
  const tables = await openRemoteTables({ deployment: STAGE }, log);
  const scratch = join(folder, 'scratch');
  mkdirSync(scratch);
  const buckets = Object.fromEntries(ZONES.map((zone) => [zone, bucketOf(zone)]));
  const { deps } = await openLocalLake({ root: join(folder, 'none'), pipelines: PIPELINES, readOnly: true, log });
  const store = createS3Store({ client: new S3Client({}), buckets, scratch });
  return { ...tables, store, specs: deps.specs, settings: { ...tables.settings, scratch, folders: [scratch] } };
}

test('the smoke test of an account runs against servers of AWS as far as they go', async () => {
  await makeStacks();
  const deps = await openSteps();
  const handlers: Readonly<Record<string, (input: JsonValue) => Promise<JsonValue>>> = {
    ...Object.fromEntries(Object.entries(maintenanceHandlers(deps)).map(([state, act]) => [`of-${state}`, act])),
    ...medallionHandlers(deps),
  };
  let turnedAway = 0;
  const invoke = async (arn: string, event: JsonValue): Promise<LambdaAnswer> => {
    const state = arn.split(':').at(-1) ?? '';
    if (state === 'Commit' && turnedAway > 0) {
      turnedAway -= 1;
      return { kind: 'error', error: { errorType: 'Lambda.TooManyRequestsException', errorMessage: 'Rate Exceeded' } };
    }
    try {
      return { kind: 'answer', payload: JSON.stringify(await handlers[state]?.(event)) };
    } catch (cause) {
      const { name: errorType, message: errorMessage } = cause as Error;
      return { kind: 'error', error: { errorType, errorMessage } };
    }
  };
  const account: Account = {
    lacks: { athena: 'moto runs no SQL', redrive: 'moto redrives nothing' },
    strata: (...args) => strataHere([...args, '--aws', '--stage', STAGE, '--pipelines', PIPELINES]),
    async turnAway() {
      turnedAway = 2;
    },
    athena: () => Promise.reject(new Error('not here')),
    redrive: () => Promise.reject(new Error('not here')),
    async removeUpload(source, file) {
      const Key = `bronze/shop/${source}/${file}`;
      await new S3Client({}).send(new DeleteObjectCommand({ Bucket: bucketOf('bronze'), Key }));
    },
  };
  const lines: string[] = [];
  const steps = createSteps((line) => lines.push(line));
  await api.answering(invoke, () =>
    runSmoke({ account, steps, folder: join(folder, 'files'), largeBytes: 17 * 2 ** 20 }),
  );
  assert.equal(steps.problems(), 0, lines.join('\n'));
  assert.equal(turnedAway, 0);
  assert.equal(lines.filter((line) => /^ok .* s {2}\d+\S*[ :-]/.test(line)).length, 10, lines.join('\n'));
});
