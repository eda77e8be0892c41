import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FUNCTIONS, STEP_NAMES } from '../../lib/core/states.ts';
import { METRICS, NAMESPACE } from '../../lib/runtime/lambda/telemetry.ts';
import { deploy, PLAIN, SHOP } from './deployment.ts';
import { statementOf } from './policies.ts';
import { ACCOUNT, at, type Fields, list, REGION, resourceOf, resourcesOf } from './resources.ts';

const { pipelines } = await deploy({ pipelines: [SHOP, PLAIN] });
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
const MAINTENANCE = { StateMachineArn: `${MACHINE.StateMachineArn}_maintenance` };

function dimensionsOf(metric: Fields): Fields {
  const pairs = list(metric['Dimensions']) as readonly Fields[];
  return Object.fromEntries(pairs.map((pair) => [String(pair['Name']), pair['Value'] ?? null]));
}

type Expected = readonly [alarm: string, metric: string, dimensions: Fields, statistic: string, above: number];

const OWN = (step: string): Fields => ({ service: 'web_shop', function: step });
const LETTERS = { QueueName: `${resourceOf(shop, 'AWS::SQS::Queue', 'DeadLetters').id}.QueueName` };
const functionOf = (name: string): Fields => ({ FunctionName: resourceOf(shop, 'AWS::Lambda::Function', name).id });

/** What each alarm watches, and above which value it goes off. */
const WATCHED: readonly Expected[] = [
  ['ExecutionFailed', 'AWS/States ExecutionsFailed', MACHINE, 'Sum', 0],
  ['ExecutionTimedOut', 'AWS/States ExecutionsTimedOut', MACHINE, 'Sum', 0],
  ['ExecutionAborted', 'AWS/States ExecutionsAborted', MACHINE, 'Sum', 0],
  ['MaintenanceFailed', 'AWS/States ExecutionsFailed', MAINTENANCE, 'Sum', 0],
  ['DeadLetters', 'AWS/SQS ApproximateNumberOfMessagesVisible', LETTERS, 'Maximum', 0],
  ...FUNCTIONS.map((name): Expected => [`${name}Throttled`, 'AWS/Lambda Throttles', functionOf(name), 'Sum', 0]),
  ...STEP_NAMES.map((step): Expected => {
    const milliseconds = step === 'Stage' ? 480_000 : 720_000;
    return [`${step}NearTimeout`, 'AWS/Lambda Duration', functionOf(step), 'Maximum', milliseconds];
  }),
  ...STEP_NAMES.map((step): Expected => [`${step}NearMemory`, 'Strata MemoryUsedPercent', OWN(step), 'Maximum', 90]),
  ['QuarantineRate', 'Strata QuarantineRate', OWN('Finish'), 'Maximum', 5],
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
    const queries = list(alarm['Metrics']) as readonly Fields[];
    const [sum, ...parts] = queries;
    assert.equal(sum?.['Expression'], 'SUM([published, unchanged])');
    const read = parts.map((part) => {
      const metric = at(part, 'MetricStat', 'Metric') as Fields;
      const { Period, Stat } = at(part, 'MetricStat') as Fields;
      return [part['Id'], metric['Namespace'], metric['MetricName'], dimensionsOf(metric), Period, Stat];
    });
    assert.deepEqual(read, [
      ['published', 'Strata', 'RunSucceeded', OWN('Finish'), 3_600, 'Sum'],
      ['unchanged', 'Strata', 'RunSucceeded', OWN('Open'), 3_600, 'Sum'],
    ]);
  });

  test('is there for nothing else; without a promise there is none for it', () => {
    assert.deepEqual([...alarms.keys()].sort(), [...WATCHED.map(([name]) => name), 'Freshness'].sort());
    const names = resourcesOf(plain, 'AWS::CloudWatch::Alarm').map(({ properties }) => String(properties['AlarmName']));
    assert.equal(names.length, alarms.size - 2);
    assert.deepEqual(
      names.filter((name) => /Freshness|QuarantineRate/.test(name)),
      [],
    );
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

/** Metrics of ours in a text of JSON, with the function that measures each. */
function ownMetricsIn(text: string): readonly (readonly [metric: string, step: string])[] {
  const found = text.matchAll(/"Strata","(\w+)","function","(\w+)","service","web_shop"/g);
  return [...found].map(([, metric = '', step = '']) => [metric, step] as const);
}

describe('the dashboard', () => {
  const { properties } = resourceOf(shop, 'AWS::CloudWatch::Dashboard');
  const shown = ownMetricsIn(String(properties['DashboardBody']));

  test('shows metrics that the functions measure, where they measure them', () => {
    assert.equal(properties['DashboardName'], 'strata-web-shop');
    assert.equal(NAMESPACE, 'Strata');
    const ofRuns = Object.keys(METRICS).filter((name) => !['UnitDuration', 'MemoryUsedPercent'].includes(name));
    for (const [metric, step] of shown) {
      assert.ok(metric in METRICS, metric);
      if (ofRuns.includes(metric)) assert.equal(step, 'Finish', metric);
      else
        assert.ok(
          STEP_NAMES.some((one) => one === step),
          step,
        );
    }
    const metrics = new Set(shown.map(([metric]) => metric));
    for (const name of ['RowsRead', 'RowsQuarantined', 'QuarantineRate', 'EstimatedCost', 'Freshness', 'RunDuration']) {
      assert.ok(metrics.has(name), `the dashboard does not show ${name}`);
    }
  });

  test('begins with all alarms', () => {
    const body = String(properties['DashboardBody']);
    for (const { id } of resourcesOf(shop, 'AWS::CloudWatch::Alarm')) assert.ok(body.includes(`${id}.Arn`), id);
  });
});

const OWN_ALARMS = {
  StringEquals: { 'aws:SourceAccount': ACCOUNT },
  ArnLike: { 'aws:SourceArn': `arn:aws:cloudwatch:${REGION}:${ACCOUNT}:alarm:*` },
};

test('the topic is encrypted by a key that alarms may use, and takes TLS only', () => {
  const key = resourceOf(shop, 'AWS::KMS::Key');
  assert.equal(topic.properties['KmsMasterKeyId'], `${key.id}.Arn`);
  assert.equal(key.properties['EnableKeyRotation'], true);
  const allowed = (list(at(key.properties, 'KeyPolicy', 'Statement')) as readonly Fields[]).find(
    (one) => JSON.stringify(one['Principal']) === '{"Service":"cloudwatch.amazonaws.com"}',
  );
  assert.deepEqual(allowed?.['Condition'], OWN_ALARMS);
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
