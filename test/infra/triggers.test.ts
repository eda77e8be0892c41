import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkRunId } from '../../lib/lake/run/run-folder.ts';
import { parseOpenInput } from '../../lib/runtime/lambda/events.ts';
import { matchesPattern } from '../rehearsal/event-pattern.ts';
import { executionEnded, objectCreated } from '../rehearsal/events.ts';
import { deploy, FOLLOWER, LEADER, PLAIN, SHOP } from './deployment.ts';
import { statementOf, statementsOf } from './policies.ts';
import { ACCOUNT, at, type Fields, list, REGION, resourceOf, resourcesOf } from './resources.ts';

const { pipelines } = await deploy({ pipelines: [SHOP, PLAIN] });
const shop = pipelines['web_shop'] ?? assert.fail();
const plain = pipelines['plain'] ?? assert.fail();
const queue = (id: string) => resourceOf(shop, 'AWS::SQS::Queue', id);
const MACHINE = `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:strata-web-shop`;
const DEAD_LETTERS = `${queue('DeadLetters').id}.Arn`;

describe('an upload', () => {
  const rule = resourceOf(shop, 'AWS::Events::Rule', 'Events').properties;

  test('to bronze, below the folder of the pipeline, is an event for the queue', () => {
    assert.deepEqual(at(rule, 'EventPattern', 'detail', '$or', 0), {
      bucket: { name: [`strata-bronze-${ACCOUNT}-${REGION}`] },
      object: { key: [{ prefix: 'bronze/web_shop/' }] },
    });
    const put = { size: 1, etag: 'e' };
    const matches = (bucket: string, key: string): boolean =>
      matchesPattern(rule['EventPattern'], objectCreated({ ...put, bucket, key }, new Date(0)));
    const bronze = `strata-bronze-${ACCOUNT}-${REGION}`;
    assert.ok(matches(bronze, 'bronze/web_shop/orders/a.csv'));
    assert.ok(!matches(bronze, 'bronze/web_shop_2/orders/a.csv') && !matches('other', 'bronze/web_shop/orders/a.csv'));
    const [target] = list(rule['Targets']) as readonly Fields[];
    assert.deepEqual(target?.['Arn'], `${queue('Uploads').id}.Arn`);
    assert.deepEqual(target?.['DeadLetterConfig'], { Arn: DEAD_LETTERS });
  });

  test('comes to the starter in batches, message by message', () => {
    const mapping = resourceOf(shop, 'AWS::Lambda::EventSourceMapping').properties;
    assert.equal(mapping['EventSourceArn'], `${queue('Uploads').id}.Arn`);
    assert.equal(mapping['FunctionName'], resourceOf(shop, 'AWS::Lambda::Function', 'Starter').id);
    assert.deepEqual(
      [mapping['BatchSize'], mapping['MaximumBatchingWindowInSeconds'], mapping['ScalingConfig']],
      [1_000, 30, { MaximumConcurrency: 2 }],
    );
    assert.deepEqual(mapping['FunctionResponseTypes'], ['ReportBatchItemFailures']);
  });

  test('that cannot be dealt with goes to the dead letters after five attempts', () => {
    const { properties } = queue('Uploads');
    assert.deepEqual(properties['RedrivePolicy'], { deadLetterTargetArn: DEAD_LETTERS, maxReceiveCount: 5 });
    const { Timeout } = resourceOf(shop, 'AWS::Lambda::Function', 'Starter').properties;
    assert.ok(Number(properties['VisibilityTimeout']) >= 6 * Number(Timeout), 'not seen again while it is worked on');
  });

  for (const id of ['Uploads', 'DeadLetters']) {
    test(`${id} is encrypted, takes TLS only and keeps messages for two weeks`, () => {
      const { id: logical, properties } = queue(id);
      assert.deepEqual([properties['SqsManagedSseEnabled'], properties['MessageRetentionPeriod']], [true, 1_209_600]);
      const policy = resourcesOf(shop, 'AWS::SQS::QueuePolicy').find((one) =>
        list(one.properties['Queues']).some((url) => String(url).startsWith(logical)),
      );
      const statements = (list(at(policy?.properties, 'PolicyDocument', 'Statement')) as readonly Fields[]).map(
        (one) => ({
          ...statementOf(one),
          principal: one['Principal'],
        }),
      );
      const denied = statements.filter(({ effect }) => effect === 'Deny');
      assert.deepEqual(
        denied.map(({ condition, principal }) => [condition, principal]),
        [[{ Bool: { 'aws:SecureTransport': 'false' } }, { AWS: '*' }]],
      );
      // Whoever else may send is a rule of this stack.
      for (const { condition, principal } of statements.filter(({ effect }) => effect === 'Allow')) {
        assert.deepEqual(principal, { Service: 'events.amazonaws.com' });
        assert.match(JSON.stringify(condition), /"aws:SourceArn":"Events[0-9A-F]+\.Arn"/);
      }
    });
  }
});

describe('the end of a run of another pipeline', () => {
  test('is an event for the queue of who follows it, found by the name of its state machine', async () => {
    const { pipelines: both } = await deploy({ pipelines: [FOLLOWER, LEADER] });
    const follower = both['web_shop'] ?? assert.fail();
    const { properties } = resourceOf(follower, 'AWS::Events::Rule', 'Events');
    assert.deepEqual(at(properties, 'EventPattern', 'detail', '$or', 1), {
      status: ['SUCCEEDED'],
      stateMachineArn: [`arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:strata-leader`],
    });
    const [target] = list(properties['Targets']) as readonly Fields[];
    assert.deepEqual(target?.['Arn'], `${resourceOf(follower, 'AWS::SQS::Queue', 'Uploads').id}.Arn`);
    assert.ok(!JSON.stringify(follower.toJSON()).includes('Fn::ImportValue'));
    const leader = `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:strata-leader`;
    const matches = (machine: string, status: string): boolean =>
      matchesPattern(properties['EventPattern'] as object, executionEnded(machine, 'r', status, new Date(0)));
    assert.ok(matches(leader, 'SUCCEEDED'));
    for (const status of ['RUNNING', 'FAILED', 'TIMED_OUT', 'ABORTED']) assert.ok(!matches(leader, status), status);
    // The children of a map, another pipeline, and its own.
    for (const machine of [`${leader}/StageUnits`, `${leader}-2`, MACHINE]) assert.ok(!matches(machine, 'SUCCEEDED'));
    for (const other of [shop, both['leader'] ?? assert.fail()])
      assert.ok(!JSON.stringify(resourcesOf(other, 'AWS::Events::Rule')).includes('SUCCEEDED'));
  });
});

describe('a schedule', () => {
  const schedule = resourceOf(shop, 'AWS::Scheduler::Schedule', 'Schedule').properties;

  test('is the one of the pipeline, in UTC', () => {
    assert.deepEqual(
      [schedule['ScheduleExpression'], schedule['ScheduleExpressionTimezone'], schedule['FlexibleTimeWindow']],
      ['cron(0 6 * * ? *)', 'UTC', { Mode: 'OFF' }],
    );
  });

  test('starts an execution by a name of its own, with an input that Open understands', () => {
    assert.equal(at(schedule, 'Target', 'Arn'), 'arn:aws:scheduler:::aws-sdk:sfn:startExecution');
    const id = 'd32c5kddcf5bb8c3';
    const call = JSON.parse(String(at(schedule, 'Target', 'Input')).replaceAll('<aws.scheduler.execution-id>', id));
    assert.deepEqual([call.StateMachineArn, call.Name], [MACHINE, id]);
    const input = parseOpenInput(JSON.parse(call.Input));
    const by = { wait: true, started_by: 'schedule' };
    assert.deepEqual(input, { pipeline: 'web_shop', run_id: id, dry_run: false, ...by });
    assert.equal(checkRunId(input.run_id), id);
  });

  test('is tried again for an hour; then it is a dead letter', () => {
    assert.deepEqual(at(schedule, 'Target', 'RetryPolicy'), {
      MaximumRetryAttempts: 5,
      MaximumEventAgeInSeconds: 3_600,
    });
    assert.deepEqual(at(schedule, 'Target', 'DeadLetterConfig'), { Arn: DEAD_LETTERS });
  });

  test('is made only for a pipeline that has one', () => {
    const names = resourcesOf(plain, 'AWS::Scheduler::Schedule').map(({ properties }) => properties['Name']);
    assert.deepEqual(names, ['strata-plain_comparison']);
    assert.equal(resourcesOf(plain, 'AWS::Events::Rule').length, 1, 'uploads start it all the same');
  });
});

describe('a branch', () => {
  const branch = (id: string) => resourceOf(shop, 'AWS::Scheduler::Schedule', id).properties;
  const monthly = branch('Branchmonthly');

  test('is started when its schedule fires, in its zone, for the period that begins then', () => {
    const { Name, ScheduleExpression, ScheduleExpressionTimezone } = monthly;
    assert.deepEqual(
      [Name, ScheduleExpression, ScheduleExpressionTimezone],
      ['strata-web-shop_branch_monthly', 'cron(0 7 1 * ? *)', 'Europe/Berlin'],
    );
    const target = String(at(monthly, 'Target', 'Input'))
      .replaceAll('<aws.scheduler.execution-id>', 'x')
      .replaceAll('<aws.scheduler.scheduled-time>', '2026-11-01T06:00:00Z');
    const call = JSON.parse(target);
    assert.deepEqual([call.StateMachineArn, call.Name], [MACHINE, 'x']);
    assert.deepEqual(parseOpenInput(JSON.parse(call.Input)), {
      ...{ pipeline: 'web_shop', run_id: 'x', dry_run: false, wait: true, started_by: 'schedule' },
      ...{ branch: 'monthly', fired_at: '2026-11-01T06:00:00Z' },
    });
  });

  test('is tried again, with the rights and the dead letters of the schedule of the pipeline', () => {
    const schedule = branch('Schedule');
    for (const what of ['RetryPolicy', 'DeadLetterConfig', 'RoleArn']) {
      assert.deepEqual(at(monthly, 'Target', what), at(schedule, 'Target', what));
    }
  });

  test('has two schedules where either of two days is enough', () => {
    const all = resourcesOf(shop, 'AWS::Scheduler::Schedule').map(({ properties }) => properties);
    const two = all.filter(({ Name }) => String(Name).includes('fridays'));
    assert.deepEqual(
      two.map(({ ScheduleExpression }) => ScheduleExpression),
      ['cron(0 7 13 * ? *)', 'cron(0 7 ? * FRI *)'],
    );
    assert.deepEqual(
      two.map(({ Name }) => Name),
      ['strata-web-shop_branch_fridays', 'strata-web-shop_branch_fridays_2'],
    );
  });
});

test('all that has landed is compared once a day, whatever became of its events', () => {
  const { properties } = resourceOf(plain, 'AWS::Scheduler::Schedule', 'ComparisonSchedule');
  assert.equal(properties['ScheduleExpression'], 'rate(1440 minutes)');
  const call = JSON.parse(String(at(properties, 'Target', 'Input')).replaceAll('<aws.scheduler.execution-id>', 'x'));
  const input = parseOpenInput(JSON.parse(call.Input));
  const by = { wait: true, started_by: 'comparison' };
  assert.deepEqual(input, { pipeline: 'plain', run_id: 'x', dry_run: false, ...by });
  const role = statementsOf(plain, resourceOf(plain, 'AWS::IAM::Role', 'RunRole').id);
  const started = role.filter(({ actions }) => actions.includes('states:StartExecution'));
  const own = MACHINE.replace('web-shop', 'plain');
  assert.deepEqual(new Set(started.flatMap(({ resources }) => resources)), new Set([own, `${own}_maintenance`]));
});

test('an execution of these machines that fails, is stopped or times out is told to the starter by the same rule and queue', () => {
  const { EventPattern: pattern, Targets } = resourceOf(shop, 'AWS::Events::Rule', 'Events').properties;
  assert.deepEqual(at(pattern, 'detail', '$or', 1), {
    status: ['FAILED', 'TIMED_OUT', 'ABORTED'],
    stateMachineArn: [MACHINE, `${MACHINE}_maintenance`],
  });
  assert.deepEqual(
    [at(pattern, 'source'), at(pattern, 'detail-type')],
    [
      ['aws.s3', 'aws.states'],
      ['Object Created', 'Step Functions Execution Status Change'],
    ],
  );
  const matches = (machine: string, status: string): boolean =>
    matchesPattern(pattern, executionEnded(machine, 'r', status, new Date(0)));
  for (const status of ['FAILED', 'TIMED_OUT', 'ABORTED']) assert.ok(matches(MACHINE, status), status);
  assert.ok(matches(`${MACHINE}_maintenance`, 'FAILED'));
  assert.ok(!matches(MACHINE, 'SUCCEEDED') && !matches(`${MACHINE}-2`, 'FAILED'));
  assert.equal(list(Targets).length, 1);
  const { properties } = resourceOf(shop, 'AWS::Lambda::Function', 'Starter');
  assert.equal(at(properties, 'Environment', 'Variables', 'STRATA_TOPIC_ARN'), resourceOf(shop, 'AWS::SNS::Topic').id);
  assert.deepEqual(resourcesOf(shop, 'AWS::Lambda::Permission'), []);
});
