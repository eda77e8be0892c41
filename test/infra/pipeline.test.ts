import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RemovalPolicy, type Stack } from 'aws-cdk-lib';
import type { Template } from 'aws-cdk-lib/assertions';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { FlowLogDestination, type IVpc, SecurityGroup, Vpc } from 'aws-cdk-lib/aws-ec2';
import { AccountRootPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Bucket, type IBucket } from 'aws-cdk-lib/aws-s3';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import type { MaintenanceRequest } from '../../lib/core/asked.ts';
import { FUNCTIONS } from '../../lib/core/states.ts';
import { Lake } from '../../lib/infra/lake.ts';
import { Pipeline } from '../../lib/infra/pipeline.ts';
import type { ScheduledMaintenance, StartOn } from '../../lib/infra/triggers.ts';
import { parseOpenInput } from '../../lib/runtime/lambda/events.ts';
import { METRICS } from '../../lib/runtime/lambda/telemetry.ts';
import { openFindings, shopOf } from './constructs.ts';
import { fakeBundles, PLAIN, specOf } from './deployment.ts';
import { statementsOf } from './policies.ts';
import { at, type Fields, list, resourceOf, resourcesOf } from './resources.ts';

const countOf = (template: Template, type: string): number => resourcesOf(template, type).length;
const alarmsIn = (template: Template): ReadonlyMap<string, Fields> =>
  new Map(
    resourcesOf(template, 'AWS::CloudWatch::Alarm').map(({ properties }) => [
      String(properties['AlarmName']).replace('strata-web-shop-', ''),
      properties,
    ]),
  );

describe('a pipeline with nothing said', () => {
  const made = shopOf();
  const template = made.template();
  test('is whole: functions, state machine, triggers, alarms, a line on the dashboard, its databases', () => {
    const types = ['AWS::Lambda::Function', 'AWS::StepFunctions::StateMachine', 'AWS::Scheduler::Schedule'];
    const more = ['AWS::CloudWatch::Dashboard', 'AWS::SNS::Topic', 'AWS::SQS::Queue', 'AWS::Glue::Database'];
    assert.deepEqual(
      [...types, ...more].map((type) => countOf(template, type)),
      [FUNCTIONS.length, 2, 5, 1, 1, 2, 3],
    );
    assert.equal(alarmsIn(template).size, made.shop.alarms.length);
    const { DashboardBody } = resourceOf(template, 'AWS::CloudWatch::Dashboard').properties;
    for (const name of alarmsIn(template).keys()) {
      assert.ok(JSON.stringify(DashboardBody).includes(`alarm:strata-web-shop-${name}`), name);
    }
  });

  test('is in no VPC, and says so to who asks for its connections', () => {
    const functions = resourcesOf(template, 'AWS::Lambda::Function');
    assert.ok(functions.every(({ properties }) => properties['VpcConfig'] === undefined));
    assert.equal(countOf(template, 'AWS::EC2::SecurityGroup'), 0);
    assert.throws(() => made.shop.connections, /Own\/Shop has no connections: .*by the property vpc/);
  });

  test('has its table of audits after its database', () => {
    const [id = ''] = Object.keys(template.findResources('AWS::Glue::Table'));
    const { DependsOn } = template.toJSON().Resources[id];
    assert.ok(DependsOn.some((one: string) => one.startsWith('LakeDatabasewebshopops')));
  });

  test('has no open finding of AwsSolutions', () => assert.deepEqual(openFindings(made, 'Own/Shop'), []));
});

describe('in a VPC', () => {
  // The CDK's own classes are not exact about optional properties.
  const vpcIn = (stack: Stack): IVpc =>
    new Vpc(stack, 'Vpc', { flowLogs: { all: { destination: FlowLogDestination.toCloudWatchLogs() } } }) as IVpc;
  const made = shopOf((stack) => ({ vpc: vpcIn(stack) }));
  const template = made.template();

  test('every function is in private subnets, behind one security group that lets nothing in', () => {
    const group = resourceOf(template, 'AWS::EC2::SecurityGroup', 'ShopSecurityGroup');
    assert.equal(group.properties['SecurityGroupIngress'], undefined);
    for (const { id, properties } of resourcesOf(template, 'AWS::Lambda::Function').filter(({ id }) =>
      id.startsWith('Shop'),
    )) {
      assert.deepEqual(at(properties, 'VpcConfig', 'SecurityGroupIds'), [`${group.id}.GroupId`], id);
      assert.ok(
        list(at(properties, 'VpcConfig', 'SubnetIds')).every((subnet) => /Private/.test(String(subnet))),
        id,
      );
    }
    assert.equal(made.shop.connections.securityGroups.length, 1);
  });

  test('every role may have the network interfaces that this takes', () => {
    const roles = resourcesOf(template, 'AWS::IAM::Role').filter(({ id }) => /^Shop(Work|Run|Open)Role/.test(id));
    assert.equal(roles.length, 3);
    for (const { id } of roles) {
      assert.ok(
        statementsOf(template, id).some(({ actions }) => actions.includes('ec2:CreateNetworkInterface')),
        id,
      );
    }
  });

  test('AwsSolutions finds nothing', () => assert.deepEqual(openFindings(made, 'Own/Shop'), []));

  test('security groups that are given are used, and none is made', () => {
    const { template: other } = shopOf((stack) => {
      const vpc = vpcIn(stack);
      return { vpc, securityGroups: [new SecurityGroup(stack, 'Ours', { vpc })] };
    });
    const groups = resourcesOf(other(), 'AWS::EC2::SecurityGroup').map(({ id }) => id.replace(/[0-9A-F]{8}$/, ''));
    assert.deepEqual(groups, ['Ours']);
  });

  test('a security group without a VPC is refused', () => {
    assert.throws(
      () => shopOf((stack) => ({ securityGroups: [SecurityGroup.fromSecurityGroupId(stack, 'Ours', 'sg-1')] })),
      /pipeline web_shop: vpcSubnets or securityGroups without vpc/,
    );
  });
});

describe('what exists is used', () => {
  test('as topic: with its key, and open to the alarms', () => {
    const made = shopOf((stack) => {
      const masterKey = new Key(stack, 'OpsKey', { enableKeyRotation: true });
      return { topic: new Topic(stack, 'Ops', { masterKey, enforceSSL: true }), alertEmails: ['a@example.org'] };
    });
    const template = made.template();
    const topic = resourceOf(template, 'AWS::SNS::Topic');
    assert.match(topic.id, /^Ops/);
    const notify = statementsOf(template, resourceOf(template, 'AWS::IAM::Role', 'ShopRunRole').id);
    assert.ok(notify.some(({ actions, resources }) => actions.includes('sns:Publish') && resources.includes(topic.id)));
    assert.ok(notify.some(({ resources }) => resources.some((one) => /^OpsKey\w+\.Arn$/.test(one))));
    assert.match(
      JSON.stringify(resourceOf(template, 'AWS::SNS::TopicPolicy').properties),
      /cloudwatch\.amazonaws\.com/,
    );
    assert.match(
      JSON.stringify(resourceOf(template, 'AWS::KMS::Key', 'OpsKey').properties),
      /cloudwatch\.amazonaws\.com/,
    );
    assert.equal(resourceOf(template, 'AWS::SNS::Subscription').properties['Endpoint'], 'a@example.org');
    assert.ok([...alarmsIn(template).values()].every((alarm) => list(alarm['AlarmActions']).includes(topic.id)));
    assert.deepEqual(openFindings(made, 'Own/Shop'), []);
  });

  test('as queue of dead letters', () => {
    const { template, shop } = shopOf((stack) => ({ deadLetters: new Queue(stack, 'Lost', { enforceSSL: true }) }));
    const queues = resourcesOf(template(), 'AWS::SQS::Queue').map(({ id }) => id.replace(/[0-9A-F]{8}$/, ''));
    assert.deepEqual(queues.sort(), ['Lost', 'ShopUploads']);
    assert.equal(shop.deadLetters.node.path, 'Own/Lost');
  });

  test('as lake of another app', async () => {
    const { template } = shopOf(undefined, (stack) => Lake.fromLakeAttributes(stack, 'Lake', { deployment: 'dev' }));
    assert.equal(countOf(template(), 'AWS::S3::Bucket') + countOf(template(), 'AWS::Glue::Database'), 0);
    const { properties } = resourceOf(template(), 'AWS::StepFunctions::StateMachine', 'ShopMachine');
    assert.equal(properties['StateMachineName'], 'strata-dev-web-shop');
  });
});

describe('alarms', () => {
  test('can be without', () => {
    const { template, shop } = shopOf(
      () => ({ alarms: false }),
      (stack) => new Lake(stack, 'Lake', { dashboard: false }),
    );
    assert.deepEqual([countOf(template(), 'AWS::CloudWatch::Alarm'), shop.alarms], [0, []]);
    assert.equal(countOf(template(), 'AWS::CloudWatch::Dashboard'), 0);
  });

  test('change one by one, and tell others too', () => {
    const all = alarmsIn(shopOf().template());
    const { template } = shopOf((stack) => {
      const [pager, desk] = ['Pager', 'Desk'].map((id) => new SnsAction(new Topic(stack, id)));
      return {
        alarms: {
          actions: pager === undefined ? [] : [pager],
          change: {
            NearMemory: false,
            Throttled: { threshold: 20, evaluationPeriods: 3 },
            ExecutionFailed: { actions: desk === undefined ? [] : [desk] },
            Freshness: false,
          },
        },
      };
    });
    const found = alarmsIn(template());
    const gone = [...all.keys()].filter((name) => !found.has(name));
    assert.deepEqual(gone.sort(), ['Freshness', 'NearMemory']);
    const throttled = found.get('Throttled');
    assert.deepEqual([throttled?.['Threshold'], throttled?.['EvaluationPeriods']], [20, 3]);
    assert.equal(list(throttled?.['AlarmActions']).length, 2);
    const failed = list(found.get('ExecutionFailed')?.['AlarmActions']).map((one) => String(one).slice(0, -8));
    assert.deepEqual(failed, ['ShopAlerts', 'Pager', 'Desk']);
  });
});

test('what starts runs can be left to people', () => {
  const { template } = shopOf(() => ({ startOn: { upload: false, schedule: false } }));
  assert.equal(countOf(template(), 'AWS::Scheduler::Schedule'), 0);
  assert.equal(countOf(template(), 'AWS::Lambda::EventSourceMapping'), 0);
  assert.deepEqual(
    resourcesOf(template(), 'AWS::Events::Rule').map(({ id }) => id.slice(0, 10)),
    ['ShopEvents'],
  );
});

test('the page is asked for of Finish by who ends runs, unless none is wanted', () => {
  const asking = (template: Template): readonly string[] =>
    resourcesOf(template, 'AWS::Lambda::Function').flatMap(({ properties }) => {
      const name = (at(properties, 'Environment', 'Variables') as Fields)['STRATA_PAGE_FUNCTION'];
      return name === undefined ? [] : [`${String(properties['FunctionName'])} asks ${String(name)}`];
    });
  const allowed = (template: Template): boolean =>
    JSON.stringify(template.findResources('AWS::IAM::Policy')).includes('"Sid":"Page"');
  const template = shopOf().template();
  assert.deepEqual(asking(template).toSorted(), [
    'strata-web-shop-fail asks strata-web-shop-finish',
    'strata-web-shop-finish asks strata-web-shop-finish',
  ]);
  const none = shopOf(() => ({ page: false })).template();
  assert.deepEqual([allowed(template), asking(none), allowed(none)], [true, [], false]);
});

test('logs stay as long as is said, the functions run on what is said', () => {
  const { template } = shopOf(() => ({
    logRetention: RetentionDays.ONE_YEAR,
    removalPolicy: RemovalPolicy.RETAIN,
    architecture: Architecture.X86_64,
  }));
  const logs = resourcesOf(template(), 'AWS::Logs::LogGroup');
  assert.deepEqual(
    [...new Set(logs.map(({ properties, DeletionPolicy }) => `${properties['RetentionInDays']} ${DeletionPolicy}`))],
    ['365 Retain'],
  );
  const { properties } = resourceOf(template(), 'AWS::Lambda::Function', 'ShopStage');
  assert.deepEqual(properties['Architectures'], ['x86_64']);
});

const bucketOf = (stack: Stack, encryptionKey: IKey): IBucket =>
  Bucket.fromBucketAttributes(stack, 'Landing', { bucketName: 'our-landing', encryptionKey });

describe('a pipeline on buckets and keys that were given', () => {
  test('uses them by their own names and keys', () => {
    const { template } = shopOf(undefined, (stack) => {
      return new Lake(stack, 'Lake', { buckets: { bronze: bucketOf(stack, new Key(stack, 'TheirKey')) } });
    });
    const stage = resourceOf(template(), 'AWS::Lambda::Function', 'ShopStage');
    assert.equal(at(stage.properties, 'Environment', 'Variables', 'STRATA_BRONZE_BUCKET'), 'our-landing');
    const may = statementsOf(template(), resourceOf(template(), 'AWS::IAM::Role', 'ShopWorkRole').id);
    assert.ok(
      may.some(
        ({ actions, resources }) =>
          actions.includes('s3:GetObject') && resources.includes('arn:aws:s3:::our-landing/bronze/web_shop/*'),
      ),
    );
    assert.ok(
      may.some(
        ({ actions, resources }) => actions.includes('kms:Decrypt') && resources.some((one) => /^TheirKey/.test(one)),
      ),
    );
    const rule = resourceOf(template(), 'AWS::Events::Rule', 'ShopEvents');
    assert.deepEqual(at(rule.properties, 'EventPattern', 'detail', '$or', 0, 'bucket', 'name'), ['our-landing']);
  });
});

describe('methods', () => {
  const { stack, shop, template } = shopOf();
  const role = new Role(stack, 'Operator', { assumedBy: new AccountRootPrincipal() });
  shop.grantStart(role);
  shop.grantUpload(role);
  shop.grantQuery(role);
  const text = statementsOf(template(), resourceOf(template(), 'AWS::IAM::Role', 'Operator').id)
    .map(({ actions, resources }) => `${actions} ${resources}`)
    .join('\n');

  test('grantStart lets start, follow and read the answer, of this pipeline alone', () => {
    assert.match(text, /states:StartExecution arn:aws:states:eu-west-1:111122223333:stateMachine:strata-web-shop$/m);
    assert.match(text, /states:DescribeExecution.*execution:strata-web-shop:\*$/m);
    assert.match(text, /ops\/web_shop\/\*/);
  });
  test('grantUpload and grantQuery do what those of the lake do for it', () => {
    assert.match(text, /s3:PutObject.*bronze\/web_shop\/\*/);
    assert.match(text, /athena:StartQueryExecution/);
  });

  test('metrics are those that the functions and the machine have, and can be said otherwise', () => {
    const own = [
      shop.metricRunDuration(),
      shop.metricRows('Read'),
      shop.metricRows('Accepted'),
      shop.metricRows('Quarantined'),
      shop.metricRows('Condemned'),
      shop.metricRows('Duplicate'),
      shop.metricQuarantineRate(),
      shop.metricFreshness(),
      shop.metricEstimatedCost(),
      shop.metricMemoryUsed(),
      shop.metricTimeUsed(),
      shop.metricRunsSucceeded(),
      shop.metric('FilesRead'),
    ].map((metric) => stack.resolve(metric.toMetricConfig().metricStat));
    assert.deepEqual(
      own.filter(({ metricName }) => !Object.keys(METRICS).includes(metricName)),
      [],
    );
    assert.ok(own.every(({ namespace }) => namespace === 'Strata'));
    const dimensions = own.map((stat) => stat.dimensions.map(({ value }: { value: string }) => value).join(' '));
    assert.deepEqual(new Set(dimensions), new Set(['web_shop']));
    const runs = [shop.metricRunsFailed(), shop.metricRunsStarted(), shop.metricRunsTimedOut()];
    assert.deepEqual(
      runs.map((metric) => metric.toMetricConfig().metricStat?.metricName),
      ['ExecutionsFailed', 'ExecutionsStarted', 'ExecutionsTimedOut'],
    );
    assert.equal(shop.metricRows('Read', { statistic: 'Average' }).toMetricConfig().metricStat?.statistic, 'Average');
    assert.equal(shop.metricDeadLetters().toMetricConfig().metricStat?.namespace, 'AWS/SQS');
  });
});

test('tables are compacted on a schedule where one is given', () => {
  const made = shopOf(() => ({ startOn: { schedule: false, compaction: 'rate(1 day)' } }));
  const template = made.template();
  const { properties } = resourceOf(template, 'AWS::Scheduler::Schedule', 'ShopCompactionSchedule');
  assert.deepEqual(
    [properties['Name'], properties['ScheduleExpression']],
    ['strata-web-shop_maintenance', 'rate(1 day)'],
  );
  const call = JSON.parse(
    String(at(properties, 'Target', 'Input')).replaceAll('<aws.scheduler.execution-id>', 'x'),
  ) as {
    readonly StateMachineArn: string;
    readonly Input: string;
  };
  assert.match(call.StateMachineArn, /strata-web-shop_maintenance$/);
  assert.deepEqual(parseOpenInput(JSON.parse(call.Input)), {
    ...{ pipeline: 'web_shop', run_id: 'x', dry_run: false, wait: true, kind: 'maintenance', compact: {} },
  });
  const role = statementsOf(template, resourceOf(template, 'AWS::IAM::Role', 'ShopRunRole').id);
  const started = role.filter(({ actions }) => actions.includes('states:StartExecution'));
  assert.ok(started.some(({ resources }) => resources.every((one) => one.endsWith('_maintenance'))));
  assert.deepEqual(openFindings(made, 'Own/Shop'), []);
});

describe('tables are maintained on a schedule', () => {
  const week = 168 * 3_600_000;
  const inputOf = (made: ReturnType<typeof shopOf>) => {
    const { properties } = resourceOf(made.template(), 'AWS::Scheduler::Schedule', 'ShopMaintenanceSchedule');
    const target = String(at(properties, 'Target', 'Input')).replaceAll('<aws.scheduler.execution-id>', 'x');
    const { Input } = JSON.parse(target) as { readonly Input: string };
    return [properties['Name'], properties['ScheduleExpression'], parseOpenInput(JSON.parse(Input)).maintenance];
  };
  const CASES: readonly (readonly [string, NonNullable<StartOn['maintenance']>, MaintenanceRequest])[] = [
    [
      'all of it',
      { schedule: 'rate(1 day)' },
      {
        operations: ['compact', 'expire', 'vacuum'],
        expire: { older_than_ms: week, keep: 5 },
        vacuum: { older_than_ms: week },
      },
    ],
    [
      'some of it',
      { schedule: 'rate(1 day)', operations: ['expire'], olderThanHours: 336, keep: 9 },
      { operations: ['expire'], expire: { older_than_ms: 2 * week, keep: 9 } },
    ],
  ];
  for (const [what, maintenance, request] of CASES) {
    test(what, () => {
      const made = shopOf(() => ({ startOn: { schedule: false, maintenance } }));
      assert.deepEqual(inputOf(made), ['strata-web-shop_maintenance_all', 'rate(1 day)', request]);
      assert.deepEqual(openFindings(made, 'Own/Shop'), []);
    });
  }

  test('that the pipeline declares, by its rules, unless it is not to be', async () => {
    const spec = { ...(await specOf(PLAIN)), maintenance: { schedule: 'rate(1 day)', keep: 3, olderThanMs: 2 * week } };
    const schedules = (maintenance?: false) => {
      const { stack, lake, template } = shopOf(() => ({ startOn: { schedule: false } }));
      const startOn = maintenance === undefined ? {} : { maintenance };
      new Pipeline(stack, 'Plain', { lake, spec, startOn, bundles: fakeBundles() });
      const all = resourcesOf(template(), 'AWS::Scheduler::Schedule').map(({ properties }) => properties);
      return all.filter((properties) => !String(properties['Name']).endsWith('_comparison'));
    };
    const [made] = schedules();
    assert.equal(made?.['ScheduleExpression'], 'rate(1 day)');
    assert.match(String(at(made, 'Target', 'Input')), /\\"keep\\":3/);
    assert.match(String(at(made, 'Target', 'Input')), new RegExp(String(2 * week)));
    assert.deepEqual(schedules(false), []);
  });

  test('refused are less than a week, and nothing to do', () => {
    const make = (maintenance: Omit<ScheduledMaintenance, 'schedule'>) => () =>
      shopOf(() => ({ startOn: { maintenance: { schedule: 'rate(1 day)', ...maintenance } } }));
    assert.throws(make({ olderThanHours: 24 }), /startOn\.maintenance\.olderThanHours: got 24; expected 168 or more/);
    assert.throws(make({ operations: [] }), /operations: got none; expected some of compact, expire, vacuum/);
  });
});

test('two pipelines share a stack and a lake', async () => {
  const { stack, lake, template } = shopOf();
  new Pipeline(stack, 'Plain', { lake, spec: await specOf(PLAIN), bundles: fakeBundles() });
  assert.equal(countOf(template(), 'AWS::StepFunctions::StateMachine'), 4);
  assert.equal(countOf(template(), 'AWS::Glue::Database'), 6);
});
