import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Stack } from 'aws-cdk-lib';
import { SecurityGroup, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Connection } from '../../lib/adapters/postgres/client.ts';
import { connectPostgres } from '../../lib/adapters/postgres/connect.ts';
import type { PipelineOptions } from '../../lib/infra/pipeline-props.ts';
import type { LocalLake } from '../../lib/runtime/local.ts';
import { consumeSource } from '../../lib/runtime/origins/consume-source.ts';
import { fetchSources } from '../../lib/runtime/origins/fetch-sources.ts';
import { tableLander } from '../../lib/runtime/origins/table-lander.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { startKafka } from '../servers/kafka/kafka-server.ts';
import { makeTopic, sendNumbers } from '../servers/kafka/topics.ts';
import { startPostgres } from '../servers/postgres/postgres-server.ts';
import { subscribeInbox } from './alerts.ts';
import { checkBuckets, checkGrants, checkReleased } from './checks.ts';
import { type Deployment, type DeployOptions, deploy, functionNamed } from './deployment.ts';
import type { LambdaAnswer } from './environment.ts';
import { openLaptop } from './laptop.ts';
import { callJson } from './moto-api.ts';
import { addToLake, FIXTURES, synthesizeFixture } from './of-fixture.ts';
import { startByHand } from './runs.ts';
import { runAll, type Stage } from './stage.ts';
import type { Outcome, Steps } from './steps.ts';
import { readTables } from './tables.ts';
import { resourcesOf } from './template.ts';

/** The pipeline of this part, below `pipelines` beside this file. */
export const PIPELINE = 'outside';
/** Nobody listens there. */
const NO_BROKER = '127.0.0.1:9';
const TOPIC = 'said';
const PARTITIONS = 2;
const MESSAGES = 1_000;

const SHOP = `CREATE SCHEMA shop;
  CREATE TABLE shop.prices (id bigint PRIMARY KEY, price numeric(10,2), changed_at timestamptz NOT NULL);
  INSERT INTO shop.prices VALUES (3000000001, 10.50, '2026-11-30 08:00Z'), (2, NULL, '2026-11-30 08:10Z')`;
const SERVED = `SELECT string_agg(id || ' ' || coalesce(price::text, 'none') || ' ' || (changed_at AT TIME ZONE 'UTC'), ', ' ORDER BY id) AS rows FROM reports.prices`;
const EXPECTED = '2 none 2026-11-30 08:10:00, 3000000001 10.50 2026-11-30 08:00:00';

/**
 * What reaches out of the lake, with a real PostgreSQL and a real Kafka: functions land rows of a table and records of a topic once, a run makes
 * tables of them that a laptop makes as well, and another function serves one of them there. Without brokers the function says so, and
 * not where it looked. All three are deployed into a VPC, with one secret that was given and two by their names.
 */
export async function rehearseOutside(
  options: Omit<DeployOptions, 'assembly' | 'pipeline'>,
  steps: Steps,
): Promise<void> {
  const { folder, endpoint } = options;
  await rm(folder, { recursive: true, force: true });
  await using server = await steps.step('start PostgreSQL', () => startPostgres());
  await using kafka = await steps.step('start Kafka', () => startKafka());
  await using shop = await connectPostgres({ secret: PIPELINE, read: async () => server.url() });
  await shop.run({ name: 'shop', text: userSql(SHOP) });
  await makeTopic(kafka.plain, TOPIC, PARTITIONS);
  await sendNumbers(kafka.plain, TOPIC, { count: MESSAGES, batch: 100, partitions: PARTITIONS });
  // Who sends to a topic that is new may have to send again what had come already: the brokers' own client says what is there.
  const records = (await kafka.dump(TOPIC)).length;
  const given = await makeSecret(endpoint, 'given-url', server.url());
  await makeSecret(endpoint, 'OUTSIDE_URL', server.url());
  await makeSecret(endpoint, 'OUTSIDE_KAFKA', kafka.plain);
  const lake = await openLaptop(join(folder, 'laptop'), FIXTURES);
  const deployment = await steps.step('synthesize, and deploy', async () => {
    const spec = await lake.deps.specs(PIPELINE);
    const assembly = await synthesizeFixture(spec, join(folder, 'cdk.out'), (stack) => inVpc(stack, given));
    await addToLake(endpoint, options.lake, assembly);
    return deploy({ ...options, assembly, pipeline: PIPELINE });
  });
  const inbox = await subscribeInbox(endpoint, deployment.topicArn, `${deployment.stack.name}-inbox`);
  const stage: Stage = { deployment, steps, inbox, folder, lake, messages: [] };
  try {
    await steps.check('the three functions that reach out are in the VPC', async () => checkNetwork(deployment));
    await steps.check('records of the topic land once', () => checkConsumed(deployment, records));
    await steps.check('rows of the table land, and not again as they were', () => checkLanded(deployment));
    // What a secret says counts from the next call on.
    await changeSecret(endpoint, 'OUTSIDE_KAFKA', NO_BROKER);
    const silent = deployment.pool.invoke(functionNamed(deployment, 'origin_said'), { pipeline: PIPELINE });
    await startByHand(deployment, { pipeline: PIPELINE, run_id: 'serving-of-the-rehearsal', dry_run: false });
    await runAll(stage, 'run of what has landed');
    await steps.check('PostgreSQL has the rows of the run', () => checkServed(shop));
    await steps.check('the tables have what those of a laptop have that asked the same servers', async () => {
      await runBeside(lake, { OUTSIDE_URL: server.url(), OUTSIDE_KAFKA: kafka.plain });
      return checkRows(deployment, join(folder, 'laptop'), records);
    });
    await steps.check('without brokers the consumer says so, and not where it looked', async () =>
      checkSilence(await silent),
    );
    await steps.check('nothing is left locked', () => checkReleased(deployment));
    await steps.check('every call was granted by its role', async () => checkGrants(deployment));
    await steps.check('buckets deny calls without TLS, and no others', async () => checkBuckets(deployment));
  } finally {
    await deployment.pool.close();
  }
}

/** Answers its ARN. */
async function makeSecret(endpoint: string, name: string, text: string): Promise<string> {
  const input = { Name: name, SecretString: text, ClientRequestToken: crypto.randomUUID() };
  const { ARN } = await callJson(endpoint, 'secretsmanager', 'secretsmanager.CreateSecret', input);
  return String(ARN);
}

async function changeSecret(endpoint: string, name: string, text: string): Promise<void> {
  const input = { SecretId: name, SecretString: text, ClientRequestToken: crypto.randomUUID() };
  await callJson(endpoint, 'secretsmanager', 'secretsmanager.PutSecretValue', input);
}

/** A network that is there already, of which the imitated account knows the ids alone. */
function inVpc(stack: Stack, arn: string): PipelineOptions {
  const vpc = Vpc.fromVpcAttributes(stack, 'Network', {
    vpcId: 'vpc-0a1b2c3d',
    availabilityZones: ['eu-central-1a'],
    privateSubnetIds: ['subnet-0a1b2c3d'],
  });
  const securityGroups = [SecurityGroup.fromSecurityGroupId(stack, 'Group', 'sg-0a1b2c3d')];
  const secrets = { OUTSIDE_URL: Secret.fromSecretCompleteArn(stack, 'Given', arn) };
  const network = { vpc, securityGroups };
  return {
    serve: network,
    origins: {
      prices: { ...network, schedule: 'rate(1 hour)', secrets },
      said: { ...network, schedule: 'rate(1 minute)' },
    },
  };
}

function checkNetwork({ stack }: Deployment): Outcome {
  const inside = resourcesOf(stack.template, 'AWS::Lambda::Function').flatMap(([, { FunctionName, VpcConfig }]) =>
    JSON.stringify(VpcConfig) === '{"SecurityGroupIds":["sg-0a1b2c3d"],"SubnetIds":["subnet-0a1b2c3d"]}'
      ? [String(FunctionName)]
      : [],
  );
  const expected = ['-serve', '_origin_prices', '_origin_said'].map((name) => `${stack.name}${name}`);
  const found = inside.toSorted().join();
  return { problems: found === expected.join() ? [] : [`${found} are; expected ${expected.join()}`] };
}

async function checkConsumed(deployment: Deployment, records: number): Promise<Outcome> {
  const fn = functionNamed(deployment, 'origin_said');
  const problems: string[] = [];
  for (const expected of [`{"files":${PARTITIONS},"records":${records},`, '{"files":0,"records":0,']) {
    const answer = await deployment.pool.invoke(fn, { pipeline: PIPELINE });
    const found = answer.kind === 'answer' ? answer.payload : JSON.stringify(answer.error);
    if (!found.startsWith(expected)) problems.push(`${fn.name} answered ${found}; expected ${expected}...`);
  }
  return { problems, detail: `${records} records` };
}

/** Lands what both servers have, and runs, as a user does on a laptop, where secrets are in the environment. */
async function runBeside({ deps, run }: LocalLake, secrets: Readonly<Record<string, string>>): Promise<void> {
  Object.assign(process.env, secrets);
  try {
    const spec = await deps.specs(PIPELINE);
    const fetched = await fetchSources({ ...deps, table: tableLander({ ...deps, unique: deps.ids.unique }) }, spec);
    const failed = fetched.find((one) => 'failed' in one);
    if (failed !== undefined) throw new Error(`the laptop fetched nothing: ${JSON.stringify(failed)}`);
    await consumeSource(deps, spec, TOPIC, { idleMs: 1_000 });
    const answer = await run({ pipeline: PIPELINE });
    if (answer.kind === 'ended' && answer.result.status === 'SUCCEEDED') return;
    throw new Error(`the laptop's run did not succeed: ${JSON.stringify(answer)}`);
  } finally {
    for (const name of Object.keys(secrets)) delete process.env[name];
  }
}

/** By PyIceberg, on both sides. The books differ: files have come in other calls. */
async function checkRows({ endpoint }: Deployment, laptop: string, records: number): Promise<Outcome> {
  const { tables } = await readTables(endpoint, PIPELINE, laptop, { audit: false });
  const counts = { [`${PIPELINE}_silver.said`]: records, [`${PIPELINE}_silver.prices`]: 2 };
  const problems = Object.entries(counts).flatMap(([name, rows]) => {
    const found = tables[name];
    if (found === undefined) return [`there is no ${name}`];
    const counted = found.rows === rows ? [] : [`${name} has ${found.rows} rows; expected ${rows}`];
    return [...counted, ...found.problems.map((one) => `${name}: ${one}`)];
  });
  return { problems, detail: `${records} and 2 rows` };
}

async function checkLanded(deployment: Deployment): Promise<Outcome> {
  const { pool, pipeline } = deployment;
  const fn = functionNamed(deployment, 'origin_prices');
  const answers: string[] = [];
  for (let call = 0; call < 3; call += 1) {
    const answer = await pool.invoke(fn, { pipeline });
    answers.push(answer.kind === 'answer' ? answer.payload : JSON.stringify(answer.error));
  }
  const found = answers.join(' ');
  // The row that the cursor is at comes again, and then as it was.
  const expected = '{"files":1,"records":2} {"files":1,"records":1} {"files":0,"records":1}';
  return { problems: found === expected ? [] : [`${fn.name} answered ${found}; expected ${expected}`] };
}

async function checkServed(shop: Connection): Promise<Outcome> {
  const [row] = await shop.run({ name: 'served', text: userSql(SERVED) });
  const found = String(row?.['rows']);
  return { problems: found === EXPECTED ? [] : [`it has ${found}; expected ${EXPECTED}`] };
}

function checkSilence(answer: LambdaAnswer): Outcome {
  if (answer.kind === 'answer') return { problems: [`it answered ${answer.payload}`] };
  const { errorType, errorMessage } = answer.error;
  const problems = errorType === 'Unavailable' ? [] : [`it ended with ${errorType}: ${errorMessage}`];
  if (JSON.stringify(answer.error).includes(NO_BROKER)) problems.push(`it says where: ${errorMessage}`);
  return { problems, detail: errorMessage };
}
