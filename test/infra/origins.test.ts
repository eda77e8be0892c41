import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { FlowLogDestination, type IVpc, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { definePipeline, http, kafka, postgres, secret } from '../../lib/define/index.ts';
import { Lake } from '../../lib/infra/lake.ts';
import type { OriginOptions } from '../../lib/infra/origins.ts';
import { Pipeline } from '../../lib/infra/pipeline.ts';
import type { TestPipeline } from '../support/test-lake.ts';
import { openFindings, ownStack } from './constructs.ts';
import { fakeBundles, specOf } from './deployment.ts';
import { type Statement, statementsOf } from './policies.ts';
import { ACCOUNT, at, REGION, resourceOf, resourcesOf } from './resources.ts';

const TALK: TestPipeline = {
  name: 'talk',
  definition: definePipeline({
    name: 'talk',
    sources: {
      said: kafka({ brokers: secret('TALK_KAFKA'), topic: 'said' }),
      rates: http({
        url: 'https://api.example.org/rates',
        query: { key: secret('RATES_KEY') },
        headers: { 'x-key': secret('RATES_KEY') },
        columns: { rate: 'double' },
      }),
      orders: postgres({ url: secret('SALES_URL'), table: 'sales.orders', columns: { id: 'bigint' } }),
    },
    silver: { said: { from: 'said' }, rates: { from: 'rates' }, orders: { from: 'orders' } },
  }),
};
const spec = await specOf(TALK);
const bundles = fakeBundles();

function talk(origins: (stack: Stack) => { readonly [source: string]: OriginOptions }) {
  const made = ownStack();
  const lake = new Lake(made.stack, 'Lake');
  new Pipeline(made.stack, 'Talk', { lake, spec, bundles, origins: origins(made.stack) });
  return { ...made, template: Template.fromStack(made.stack) };
}

const made = talk((stack) => ({
  said: {
    schedule: 'rate(5 minutes)',
    // The CDK's own classes are not exact about optional properties.
    vpc: new Vpc(stack, 'Net', { flowLogs: { Log: { destination: FlowLogDestination.toCloudWatchLogs() } } }) as IVpc,
  },
  orders: { schedule: 'rate(1 day)' },
  rates: {
    schedule: 'cron(0 * * * ? *)',
    secrets: { RATES_KEY: Secret.fromSecretNameV2(stack, 'Key', 'other/name') },
  },
}));
const { template } = made;
const functionOf = (source: string) => resourceOf(template, 'AWS::Lambda::Function', `TalkOrigin${source}Function`);
const mayOf = (source: string): readonly Statement[] =>
  statementsOf(
    template,
    resourcesOf(template, 'AWS::IAM::Role').find(({ id }) => id.startsWith(`TalkOrigin${source}Role`))?.id ?? '',
  );

describe('a source that is landed on a schedule', () => {
  test('has a function that knows it and nothing of its secrets, where it was said', () => {
    const { properties } = functionOf('said');
    const variables = at(properties, 'Environment', 'Variables') as Readonly<Record<string, string>>;
    assert.deepEqual(JSON.parse(variables['STRATA_ORIGIN'] ?? ''), {
      name: 'said',
      origin: { kind: 'kafka', brokers: 'TALK_KAFKA', topic: 'said' },
    });
    assert.equal(variables['STRATA_PIPELINE'], 'talk');
    assert.equal(variables['STRATA_SECRETS'], undefined);
    assert.deepEqual(
      [properties['Handler'], properties['Runtime'], properties['Timeout']],
      ['index.handler', 'nodejs24.x', 900],
    );
    assert.ok(at(properties, 'VpcConfig', 'SubnetIds'));
    assert.equal(functionOf('rates').properties['VpcConfig'], undefined);
    const secrets = at(functionOf('rates').properties, 'Environment', 'Variables', 'STRATA_SECRETS');
    assert.match(String(secrets), /^\{"RATES_KEY":"arn:aws:secretsmanager:.*:secret:other\/name"\}$/);
    // Neither is what a run is made of.
    const workers = resourcesOf(template, 'AWS::Lambda::Function').filter(({ id }) => !id.startsWith('TalkOrigin'));
    assert.ok(workers.length > 5 && workers.every(({ properties: { VpcConfig } }) => VpcConfig === undefined));
  });

  test('that is a table has DuckDB and the client of PostgreSQL, and room for its rows', () => {
    const { properties } = functionOf('orders');
    assert.deepEqual(
      [properties['Handler'], properties['MemorySize'], at(properties, 'EphemeralStorage', 'Size')],
      ['extract.handler', 3_008, 10_240],
    );
    assert.equal(at(properties, 'Environment', 'Variables', 'STRATA_TMP_MB'), '10240');
    assert.deepEqual(
      ['said', 'rates', 'orders'].map((source) => functionOf(source).properties['FunctionName']),
      ['strata-talk_origin_said', 'strata-talk_origin_rates', 'strata-talk_origin_orders'],
    );
    const may = mayOf('orders').flatMap(({ resources }) => resources);
    assert.ok(may.some((one) => one.endsWith(':secret:SALES_URL-??????')));
    assert.ok(
      may.some((one) => one.endsWith('/bronze/talk/orders/*')) &&
        may.some((one) => one.endsWith('/ops/talk/_origins/orders/*')),
    );
  });

  test('may land its files, claim ranges of its topic and read its secret, and nothing else', () => {
    const bronze = `arn:aws:s3:::strata-bronze-${ACCOUNT}-${REGION}`;
    const ops = `arn:aws:s3:::strata-ops-${ACCOUNT}-${REGION}`;
    const allowed = (source: string) =>
      mayOf(source).flatMap(({ actions, resources }) =>
        resources.map((resource) => `${actions.join(' ')} on ${resource}`),
      );
    const secretOf = (name: string) =>
      `secretsmanager:GetSecretValue on arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${name}-??????`;
    const said = allowed('said');
    const objects = 's3:GetObject s3:PutObject s3:AbortMultipartUpload';
    assert.deepEqual(
      said.filter((one) => one.startsWith('s3:')),
      [
        `${objects} s3:GetObjectVersion on ${bronze}/bronze/talk/said/*`,
        `s3:ListBucket s3:ListBucketVersions on ${bronze}`,
        `${objects} on ${ops}/ops/talk/_topics/said/*`,
        `s3:ListBucket on ${ops}`,
      ],
    );
    assert.ok(said.includes(secretOf('TALK_KAFKA')));
    assert.ok(said.some((one) => one.startsWith('ec2:CreateNetworkInterface')));
    const rates = allowed('rates');
    assert.deepEqual(
      rates.filter((one) => one.startsWith('s3:')),
      [
        `${objects} s3:GetObjectVersion on ${bronze}/bronze/talk/rates/*`,
        `s3:ListBucket s3:ListBucketVersions on ${bronze}`,
        `${objects} on ${ops}/ops/talk/_origins/rates/*`,
        `s3:ListBucket on ${ops}`,
      ],
    );
    assert.equal(rates.filter((one) => one.startsWith('secretsmanager:')).length, 1);
    assert.ok(!rates.some((one) => one.includes(secretOf('RATES_KEY')) || one.startsWith('ec2:')));
    assert.deepEqual([...new Set([...said, ...rates].map((one) => one.split(':')[0]))].sort(), [
      'ec2',
      'kms',
      'logs',
      's3',
      'secretsmanager',
      'sqs',
      'xray',
    ]);
  });

  test('is called when it was said, by who may call nothing else; what fails goes to the dead letters', () => {
    const schedules = resourcesOf(template, 'AWS::Scheduler::Schedule').filter(({ id }) => id.startsWith('TalkOrigin'));
    assert.deepEqual(
      schedules.map(({ properties }) => [properties['ScheduleExpression'], properties['ScheduleExpressionTimezone']]),
      [
        ['rate(5 minutes)', 'UTC'],
        ['rate(1 day)', 'UTC'],
        ['cron(0 * * * ? *)', 'UTC'],
      ],
    );
    const [first] = schedules;
    const role = String(at(first?.properties ?? {}, 'Target', 'RoleArn')).replace(/\.Arn$/, '');
    const letters = resourceOf(template, 'AWS::SQS::Queue', 'TalkDeadLetters').id;
    assert.equal(at(first?.properties ?? {}, 'Target', 'Arn'), `${functionOf('said').id}.Arn`);
    assert.equal(at(first?.properties ?? {}, 'Target', 'DeadLetterConfig', 'Arn'), `${letters}.Arn`);
    const may = statementsOf(template, role).map(({ actions, resources }) => [actions.join(' '), resources.join(' ')]);
    assert.deepEqual(
      may.find(([action]) => action?.startsWith('lambda:')),
      ['lambda:InvokeFunction', `${functionOf('said').id}.Arn`],
    );
    assert.deepEqual(may.map(([action]) => action?.split(':')[0]).sort(), ['lambda', 'sqs']);
    assert.deepEqual(functionOf('said').properties['DeadLetterConfig'], { TargetArn: `${letters}.Arn` });
  });

  test('is nothing that AwsSolutions finds fault with', () => {
    assert.deepEqual(openFindings(made, 'Own/Talk'), []);
  });

  test('is one that has its files from elsewhere, and in a VPC or in none', () => {
    assert.throws(
      () => talk(() => ({ say: { schedule: 'rate(1 day)' } })),
      /pipeline talk: origins\.say: got no source that has an origin; expected one of said, rates, orders; did you mean "said"/,
    );
    assert.throws(
      () => talk(() => ({ said: { schedule: 'rate(1 day)', vpcSubnets: {} } })),
      /pipeline talk: origins\.said: vpcSubnets or securityGroups without vpc; expected a vpc too, or none of them/,
    );
    assert.equal(resourcesOf(talk(() => ({})).template, 'AWS::Scheduler::Schedule').length, 1);
  });
});
