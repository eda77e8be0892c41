import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { Template } from 'aws-cdk-lib/assertions';
import { FUNCTIONS, STATES } from '../../lib/core/states.ts';
import { idleCost, LAKE_STANDING, type Standing, standingOf } from '../../lib/plan/idle-cost.ts';
import { PRICES } from '../../lib/plan/prices.ts';
import { METRICS, NAMESPACE } from '../../lib/runtime/lambda/telemetry.ts';
import { deploy, PLAIN, SHOP, specOf } from './deployment.ts';
import { statementOf } from './policies.ts';
import { ACCOUNT, at, type Fields, list, REGION, resourceOf, resourcesOf } from './resources.ts';

const { lake, pipelines } = await deploy({ pipelines: [SHOP, PLAIN] });
const shop = pipelines['web_shop'] ?? assert.fail();
const plain = pipelines['plain'] ?? assert.fail();
const alarms = new Map(
  resourcesOf(shop, 'AWS::CloudWatch::Alarm').map(({ properties }) => [
    String(properties['AlarmName']).replace('strata-web-shop-', ''),
    properties,
  ]),
);
const topic = resourceOf(shop, 'AWS::SNS::Topic');
const MACHINE = { StateMachineArn: `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:strata-web-shop` };

function dimensionsOf(metric: Fields): Fields {
  const pairs = list(metric['Dimensions']) as readonly Fields[];
  return Object.fromEntries(pairs.map((pair) => [String(pair['Name']), pair['Value'] ?? null]));
}

type Expected = readonly [alarm: string, metric: string, dimensions: Fields, statistic: string, above: number];

const OWN: Fields = { service: 'web_shop' };
const LETTERS = { QueueName: `${resourceOf(shop, 'AWS::SQS::Queue', 'DeadLetters').id}.QueueName` };

/** What each alarm watches, and above which value it goes off. */
const WATCHED: readonly Expected[] = [
  ['ExecutionFailed', 'AWS/States ExecutionsFailed', MACHINE, 'Sum', 0],
  ['EndedOtherwise', 'Strata EndedOtherwise', OWN, 'Sum', 0],
  ['DeadLetters', 'AWS/SQS ApproximateNumberOfMessagesVisible', LETTERS, 'Maximum', 0],
  ['Throttled', 'AWS/Lambda Throttles', {}, 'Sum', 0],
  ['NearTimeout', 'Strata TimeUsedPercent', OWN, 'Maximum', 80],
  ['NearMemory', 'Strata MemoryUsedPercent', OWN, 'Maximum', 90],
  ['QuarantineRate', 'Strata QuarantineRate', OWN, 'Maximum', 5],
  ['Promises', 'Strata PromisesBroken', OWN, 'Maximum', 0],
];

/** All that someone has to look at, and which alarm tells of it. */
const CONDITIONS: readonly (readonly [condition: string, alarm: string])[] = [
  ['a run failed', 'ExecutionFailed'],
  ['an execution timed out', 'EndedOtherwise'],
  ['an execution was stopped', 'EndedOtherwise'],
  ['maintenance failed', 'EndedOtherwise'],
  ['the alert of such an end was not sent', 'DeadLetters'],
  ['an event was not delivered', 'DeadLetters'],
  ...FUNCTIONS.flatMap((name) => [
    [`calls of ${name} were refused`, 'Throttled'] as const,
    [`a call of ${name} took 80 % of its time`, 'NearTimeout'] as const,
    [`${name} used 90 % of its memory`, 'NearMemory'] as const,
  ]),
  ['more rows were rejected than promised', 'QuarantineRate'],
  ['no run has succeeded in time', 'Freshness'],
  ['a promise about many runs is not kept', 'Promises'],
];

describe('an alarm', () => {
  for (const [name, metric, dimensions, statistic, above] of WATCHED) {
    test(`${name} goes off above ${above} of ${metric}`, () => {
      const alarm = alarms.get(name) ?? assert.fail(`no alarm ${name}`);
      assert.equal(`${alarm['Namespace']} ${alarm['MetricName']}`, metric);
      assert.deepEqual(dimensionsOf(alarm), dimensions);
      assert.deepEqual(
        [alarm['Statistic'], alarm['Threshold'], alarm['ComparisonOperator'], alarm['EvaluationPeriods']],
        [statistic, above, 'GreaterThanThreshold', 1],
      );
      assert.equal(alarm['TreatMissingData'], 'notBreaching');
    });
  }

  test('Freshness goes off when in none of 26 hours a run succeeded, be it by finding nothing new', () => {
    const alarm = alarms.get('Freshness') ?? assert.fail();
    assert.deepEqual(
      [alarm['Threshold'], alarm['ComparisonOperator'], alarm['EvaluationPeriods'], alarm['TreatMissingData']],
      [1, 'LessThanThreshold', 26, 'breaching'],
    );
    assert.deepEqual(
      [alarm['Namespace'], alarm['MetricName'], alarm['Statistic'], alarm['Period'], dimensionsOf(alarm)],
      ['Strata', 'RunSucceeded', 'Sum', 3_600, OWN],
    );
  });

  test('tells of each condition, and of nothing else; without a promise there is none for it', () => {
    const telling = new Set(CONDITIONS.map(([, alarm]) => alarm));
    assert.deepEqual([...alarms.keys()].sort(), [...telling].sort());
    assert.equal(CONDITIONS.length, 3 * FUNCTIONS.length + 9);
    const names = resourcesOf(plain, 'AWS::CloudWatch::Alarm').map(({ properties }) => String(properties['AlarmName']));
    assert.deepEqual(
      names.map((name) => name.replace('strata-plain-', '')).sort(),
      [...telling].filter((name) => !/Freshness|QuarantineRate|Promises/.test(name)).sort(),
    );
  });

  test('looks only at what is measured, and every function measures time and memory', () => {
    const own = WATCHED.flatMap(([, metric]) => (metric.startsWith(NAMESPACE) ? [metric.split(' ')[1] ?? ''] : []));
    assert.deepEqual(
      own.filter((metric) => !(metric in METRICS)),
      [],
    );
    for (const name of FUNCTIONS) {
      const text = readFileSync(new URL(`../../lambdas/${STATES[name].file}.ts`, import.meta.url), 'utf8');
      assert.match(text, /instrument\(|workerHandler\(/, name);
    }
  });

  test('tells the topic, and looks back no further than CloudWatch does', () => {
    for (const alarm of alarms.values()) {
      assert.deepEqual(alarm['AlarmActions'], [topic.id]);
      const seconds = Number(alarm['Period'] ?? 3_600) * Number(alarm['EvaluationPeriods']);
      assert.ok(seconds <= (Number(alarm['Period'] ?? 3_600) >= 3_600 ? 7 * 86_400 : 86_400));
      assert.ok(String(alarm['AlarmDescription']).length > 10);
    }
  });
});

describe('the dashboard', () => {
  const { properties } = resourceOf(lake, 'AWS::CloudWatch::Dashboard');
  const body = String(properties['DashboardBody']);
  const shown = [...body.matchAll(/"Strata","(\w+)","service","(\w+)"/g)].map(([, metric = '', of = '']) => [
    metric,
    of,
  ]);

  test('is one for the lake, with a line for each pipeline in each graph', () => {
    assert.equal(properties['DashboardName'], 'strata');
    for (const template of [shop, plain]) assert.deepEqual(resourcesOf(template, 'AWS::CloudWatch::Dashboard'), []);
    const metrics = ['RowsRead', 'QuarantineRate', 'RunDuration', 'Freshness', 'TimeUsedPercent', 'MemoryUsedPercent'];
    for (const pipeline of ['web_shop', 'plain']) {
      assert.deepEqual(
        shown.filter(([, service]) => service === pipeline).map(([metric]) => metric),
        [...metrics, 'EstimatedCost'],
      );
    }
    for (const [metric = ''] of shown) assert.ok(metric in METRICS, metric);
    for (const name of ['strata-web-shop', 'strata-plain']) assert.ok(body.includes(`stateMachine:${name}"`), name);
  });

  test('ends with all alarms of each', () => {
    for (const name of alarms.keys()) assert.ok(body.includes(`alarm:strata-web-shop-${name}"`), name);
    assert.ok(body.includes('alarm:strata-plain-NearMemory"') && !body.includes('alarm:strata-plain-Freshness'));
  });
});

/** Types that cost nothing, or only by their use. */
const FREE = [
  ...[
    'Athena::WorkGroup',
    'CDK::Metadata',
    'Events::Rule',
    'Glue::Database',
    'Glue::Table',
    'IAM::ManagedPolicy',
    'IAM::Policy',
  ],
  ...[
    'IAM::Role',
    'KMS::Alias',
    'Lambda::EventInvokeConfig',
    'Lambda::Function',
    'Lambda::LayerVersion',
    'Lambda::Permission',
    'Lambda::Version',
    'Logs::LogGroup',
  ],
  ...['S3::Bucket', 'S3::BucketPolicy', 'SNS::Topic', 'SNS::TopicPolicy', 'SQS::Queue', 'SQS::QueuePolicy'],
  ...['SSM::Parameter', 'StepFunctions::StateMachine'],
].map((type) => `AWS::${type}`);

/** What there is of a template that is billed while nothing happens. Throws for a type of which that is not known. */
function standingIn(template: Template): Standing {
  const standing = { alarmMetrics: 0, dashboards: 0, keys: 0, polledQueues: 0, comparisons: 0 };
  const resources: Readonly<Record<string, { readonly Type: string; readonly Properties: Fields }>> =
    template.toJSON()['Resources'];
  for (const { Type, Properties } of Object.values(resources)) {
    if (Type === 'AWS::CloudWatch::Alarm') {
      const metrics = list(Properties['Metrics']).filter((one) => 'MetricStat' in (one as Fields)).length;
      standing.alarmMetrics += 'MetricName' in Properties ? 1 : metrics;
    } else if (Type === 'AWS::CloudWatch::Dashboard') standing.dashboards += 1;
    else if (Type === 'AWS::KMS::Key') standing.keys += 1;
    else if (Type === 'AWS::Lambda::EventSourceMapping') standing.polledQueues += 1;
    else if (Type === 'AWS::Scheduler::Schedule') {
      const [, minutes] = /^rate\((\d+) minutes\)$/.exec(String(Properties['ScheduleExpression'])) ?? [];
      standing.comparisons += (730 * 60) / Number(minutes);
    } else assert.ok(FREE.includes(Type), `${Type}: what does it cost while nothing happens?`);
  }
  return standing;
}

describe('a month in which nothing happens', async () => {
  const [spec, shopSpec] = [await specOf(PLAIN), await specOf(SHOP)];

  test('is estimated by what the templates have', () => {
    assert.deepEqual(standingIn(plain), standingOf(spec));
    assert.deepEqual(standingIn(lake), LAKE_STANDING);
    assert.equal(standingOf(shopSpec).alarmMetrics, alarms.size);
  });

  test('costs at most a dollar for a pipeline, as docs/aws.md says line by line', () => {
    const cost = idleCost(standingIn(plain), standingIn(lake));
    assert.ok(cost.pipeline_usd > 0.5 && cost.pipeline_usd <= 1, `${cost.pipeline_usd}`);
    const page = readFileSync(new URL('../../docs/aws.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| (pipeline|lake) +\| ([\w ]+?) +\| +([\d,]+) ([\w ]+?) +\| +([\d.]+) \|/gm)];
    assert.deepEqual(
      rows.map(([, of, item, quantity, unit, usd]) => [of, item, Number(quantity?.replaceAll(',', '')), unit, usd]),
      cost.lines.map(({ of, item, quantity, unit, usd }) => [of, item, quantity, unit, usd.toFixed(4)]),
    );
    assert.ok(page.includes(`${cost.pipeline_usd.toFixed(2)} USD for a pipeline`));
    assert.ok(page.includes(`${cost.lake_usd.toFixed(2)} USD for a lake`));
    // All but that of ends that are rare.
    const hourly = Object.keys(METRICS).length - 1;
    const asked = (hourly * PRICES.standing.metric).toFixed(2);
    assert.ok(page.includes(`the ${hourly} metrics cost ${asked} USD`), `${hourly} for ${asked}`);
  });
});

const OWN_ALARMS = {
  StringEquals: { 'aws:SourceAccount': ACCOUNT },
  ArnLike: { 'aws:SourceArn': `arn:aws:cloudwatch:${REGION}:${ACCOUNT}:alarm:*` },
};

test('topics are encrypted by one key of the lake, which alarms may use and who may tell a topic, and take TLS only', () => {
  assert.equal(topic.properties['KmsMasterKeyId'], 'alias/strata-alerts');
  const alias = resourceOf(lake, 'AWS::KMS::Alias').properties;
  const key = resourceOf(lake, 'AWS::KMS::Key');
  assert.deepEqual([alias['AliasName'], alias['TargetKeyId']], ['alias/strata-alerts', `${key.id}.Arn`]);
  assert.equal(key.properties['EnableKeyRotation'], true);
  const allowed = (list(at(key.properties, 'KeyPolicy', 'Statement')) as readonly Fields[]).slice(1);
  assert.deepEqual(
    allowed.map((one) => [one['Principal'], one['Condition']]),
    [
      [{ Service: 'cloudwatch.amazonaws.com' }, OWN_ALARMS],
      [
        { AWS: '*' },
        { StringEquals: { 'kms:CallerAccount': ACCOUNT, 'kms:ViaService': `sns.${REGION}.amazonaws.com` } },
      ],
      [
        { Service: `logs.${REGION}.amazonaws.com` },
        { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:*` } },
      ],
    ],
  );
  const { properties } = resourceOf(shop, 'AWS::SNS::TopicPolicy');
  const statements = (list(at(properties, 'PolicyDocument', 'Statement')) as readonly Fields[]).map(statementOf);
  assert.deepEqual(
    statements.map(({ effect, actions, resources, condition }) => [effect, actions, resources, condition]),
    [
      ['Deny', ['sns:Publish'], [topic.id], { Bool: { 'aws:SecureTransport': 'false' } }],
      ['Allow', ['sns:Publish'], [topic.id], OWN_ALARMS],
    ],
  );
});
